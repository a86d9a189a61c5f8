/** Moving pictures for the mock centre: ffmpeg makes them, one fragment a frame. */

import { spawn, spawnSync } from 'node:child_process'

const GOP = 20
const FPS = 10
const SIZES = { main: '1280x720', sub: '640x360' }

const pattern = (size) => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${FPS}`]
const file = (path, size) => ['-stream_loop', '-1', '-i', path, '-vf', `fps=${FPS},scale=${size.replace('x', ':')}:force_original_aspect_ratio=decrease:force_divisible_by=2`]
const input = (size) => (process.env.MOCK_VIDEO ? file(process.env.MOCK_VIDEO, size) : pattern(size))
const CODEC = ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', `${GOP}`, '-keyint_min', `${GOP}`, '-sc_threshold', '0']

/** Split a stream of ISO boxes: calls `onBox(type, bytes)` for each whole box. */
function splitter(onBox) {
  let held = Buffer.alloc(0)
  return (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 8) {
      const size = held.readUInt32BE(0)
      if (held.length < size) return
      onBox(held.toString('latin1', 4, 8), held.subarray(0, size))
      held = held.subarray(size)
    }
  }
}

function mimeOf(moov) {
  const at = moov.indexOf('avcC')
  return `video/mp4; codecs="avc1.${moov.subarray(at + 5, at + 8).toString('hex')}"`
}

/** One live stream: starts with its first viewer, ends with its last. */
export class LiveStream {
  viewers = new Set()
  init = null
  gop = []
  frames = 0
  frozen = false

  /** `state()` is the camera's, as the contract says it to viewers. */
  constructor(stream, state) {
    this.size = SIZES[stream]
    this.state = state
  }

  add(socket) {
    this.viewers.add(socket)
    if (this.process === undefined) this.start()
    if (this.init !== null) this.greet(socket)
    socket.on('close', () => {
      this.viewers.delete(socket)
      if (this.viewers.size === 0) this.stop()
    })
  }

  greet(socket) {
    const [width, height] = this.size.split('x').map(Number)
    socket.send(JSON.stringify({ op: 'live.open', mime: this.claimed ?? this.mime, generation: 1, width, height }))
    socket.send(this.init)
    for (const fragment of this.gop) socket.send(fragment)
    socket.send(JSON.stringify({ op: 'live.state', state: this.state() }))
  }

  start() {
    const shape = ['-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_every_frame', 'pipe:1']
    this.process = spawn('ffmpeg', ['-v', 'error', '-re', ...input(this.size), ...CODEC, ...shape], { stdio: ['ignore', 'pipe', 'inherit'] })
    let head = []
    this.process.stdout.on('data', splitter((type, bytes) => {
      head.push(Buffer.from(bytes))
      if (type === 'moov') {
        this.mime = mimeOf(bytes)
        this.init = Buffer.concat(head)
        for (const viewer of this.viewers) this.greet(viewer)
        head = []
      } else if (type === 'mdat') {
        this.frame(Buffer.concat(head))
        head = []
      }
    }))
  }

  frame(fragment) {
    if (this.frames % GOP === 0) this.gop = []
    this.frames += 1
    this.gop.push(fragment)
    if (!this.frozen) for (const viewer of this.viewers) viewer.send(fragment)
  }

  /** Say from now on that the stream is of this media type. */
  claim(mime) {
    this.claimed = mime
    for (const viewer of this.viewers) this.greet(viewer)
  }

  stop() {
    this.process?.kill('SIGKILL')
    this.process = undefined
    this.init = null
    this.gop = []
    this.frames = 0
  }
}

/** Return one JPEG of the picture. */
export function picture() {
  return spawnSync('ffmpeg', ['-v', 'error', '-ss', '5', ...input(SIZES.sub), '-frames:v', '1', '-f', 'mjpeg', 'pipe:1']).stdout
}

/** Return `seconds` of video as a fragmented file, as a box records it, with its head's length. */
export function recording(seconds) {
  const shape = ['-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_keyframe', 'pipe:1']
  const bytes = spawnSync('ffmpeg', ['-v', 'error', ...input(SIZES.sub), '-t', `${seconds}`, ...CODEC, ...shape], { maxBuffer: 2 ** 28 }).stdout
  let head = 0
  splitter((type, box) => {
    if (type === 'ftyp' || type === 'moov') head += box.length
  })(bytes)
  return { bytes, head }
}
