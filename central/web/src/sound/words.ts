/** What the voice says of an alert: short, the place first, numbers as words. */

import type { Alert } from '@/api/types'

const DIGITS = '零一二三四五六七八九'
const UNITS = ['', '十', '百', '千']

/** Return a whole number from 0 to 9999 in Chinese words: 35 → 三十五, 102 → 一百零二. */
export function chineseNumber(value: number): string {
  const whole = Math.min(9999, Math.max(0, Math.floor(value)))
  if (whole === 0) return '零'
  const digits = [...String(whole)].map(Number)
  let text = ''
  let zero = false
  digits.forEach((digit, index) => {
    if (digit === 0) {
      zero = true
      return
    }
    if (zero && text !== '') text += '零'
    zero = false
    text += (DIGITS[digit] ?? '') + (UNITS[digits.length - 1 - index] ?? '')
  })
  return text.startsWith('一十') ? text.slice(1) : text
}

const LEVEL: Record<Alert['level'], string> = { extra_urgent: '特急告警', urgent: '紧急告警', ordinary: '告警' }

const WHAT: Record<string, string> = {
  gathering: '疑似人员聚集',
  flame: '疑似明火',
  smoke: '疑似烟雾',
  camera_lost: '点位离线',
  detector_down: '智能分析停止',
  storage: '存储异常',
  outbox: '告警积压，上行不畅',
  lens_covered: '镜头疑似被遮挡',
  picture_blurred: '图像模糊',
  camera_moved: '画面偏移',
  picture_frozen: '画面冻结',
  picture_overexposed: '画面过曝',
  picture_underexposed: '画面过暗',
  camera_clock: '摄像机时钟不准',
}

/** Return the sentence for one alert; a drill says so first. */
export function announcement(alert: Alert): string {
  const drill = alert.mode === 'drill' ? '演练。' : ''
  const place = alert.camera.name
  if (alert.kind === 'camera_lost') return `${drill}点位离线。${place}，请检查。`
  const what = WHAT[alert.kind] ?? alert.kind
  const count =
    alert.kind === 'gathering' && alert.count > 0
      ? `，约${chineseNumber(alert.count)}人，达到阈值${chineseNumber(alert.threshold)}人`
      : ''
  const ask = alert.level === 'ordinary' ? '请查看。' : '请立即签收。'
  return `${drill}${LEVEL[alert.level]}。${place}，${what}${count}。${ask}`
}
