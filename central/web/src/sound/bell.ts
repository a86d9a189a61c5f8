/** Rings the patterns by WebAudio and lets the voice speak. One per page, for as long as it is open. */

import { ref } from 'vue'

import type { Alert, AlertLevel } from '@/api/types'

import { Mute, PATTERNS, type Pattern } from './patterns'
import { announcement } from './words'

export class Bell {
  /** The browser allows no sound until somebody presses a key. */
  readonly blocked = ref(false)
  /** Milliseconds that the mute still lasts; 0: not muted. */
  readonly muteLeftMs = ref(0)

  private context: AudioContext | null = null
  private output: GainNode | null = null
  private readonly mute = new Mute()
  private repeating: number | null = null

  constructor() {
    window.addEventListener('keydown', this.unlock, true)
    window.addEventListener('pointerdown', this.unlock, true)
    this.start()
  }

  /** A new alert calls: ring its pattern once, say its words twice, lift the mute for a 特急. */
  call(alert: Alert): void {
    this.mute.alerted(alert.level)
    this.showMute()
    this.ring(PATTERNS[alert.level])
    this.speak(announcement(alert))
  }

  /** Ring `level` again and again until told otherwise; null: be still. */
  repeat(level: AlertLevel | null): void {
    const every = level === null ? null : PATTERNS[level].every
    if (level === null || every === null) {
      this.stopRepeating()
      return
    }
    this.repeating ??= window.setInterval(() => this.ring(PATTERNS[level]), every * 1000)
  }

  toggleMute(): void {
    this.mute.toggle(performance.now())
    this.showMute()
    if (this.isMuted()) window.speechSynthesis?.cancel()
  }

  /** Say anew how long the mute still lasts. */
  tick(): void {
    if (this.muteLeftMs.value !== 0) this.showMute()
  }

  private showMute(): void {
    this.muteLeftMs.value = this.mute.leftMs(performance.now())
  }

  /** It counts by the monotonic clock: a clock that is set makes no mute longer. */
  private isMuted(): boolean {
    return this.mute.isOn(performance.now())
  }

  private start(): void {
    if (!('AudioContext' in window)) return
    this.context = new AudioContext()
    this.output = this.context.createGain()
    this.output.connect(this.context.destination)
    this.context.addEventListener('statechange', () => this.look())
    this.look()
  }

  private look(): void {
    this.blocked.value = this.context?.state !== 'running'
  }

  private readonly unlock = (): void => {
    if (this.context?.state === 'suspended') void this.context.resume().then(() => this.look())
  }

  private stopRepeating(): void {
    if (this.repeating !== null) window.clearInterval(this.repeating)
    this.repeating = null
  }

  private ring(pattern: Pattern): void {
    const { context, output } = this
    if (context === null || output === null) return
    if (context.state !== 'running' || this.isMuted()) return
    for (const tone of pattern.tones) {
      const oscillator = context.createOscillator()
      const gain = context.createGain()
      const start = context.currentTime + tone.at
      const end = start + tone.seconds
      oscillator.type = tone.shape
      oscillator.frequency.value = tone.hertz
      // Short ramps: a tone that begins or ends at full level clicks.
      gain.gain.setValueAtTime(0, start)
      gain.gain.linearRampToValueAtTime(tone.gain * 0.5, start + 0.02)
      gain.gain.setValueAtTime(tone.gain * 0.5, end - 0.05)
      gain.gain.linearRampToValueAtTime(0, end)
      oscillator.connect(gain).connect(output)
      oscillator.onended = () => gain.disconnect()
      oscillator.start(start)
      oscillator.stop(end)
    }
  }

  private speak(text: string): void {
    if (!('speechSynthesis' in window) || this.isMuted()) return
    const voices = window.speechSynthesis.getVoices()
    // Only a voice that works on this machine: the wall must speak without the internet.
    const voice = voices.find((each) => each.localService && each.lang.toLowerCase().startsWith('zh'))
    if (voice === undefined || window.speechSynthesis.pending) return
    for (let time = 0; time < 2; time += 1) {
      const utterance = new SpeechSynthesisUtterance(text)
      utterance.voice = voice
      utterance.lang = voice.lang
      utterance.rate = 0.95
      window.speechSynthesis.speak(utterance)
    }
  }
}
