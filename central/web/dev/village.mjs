/** A made-up village for the mock centre: enough of everything to look at every page. */

const now = Date.now()
const iso = (ms) => new Date(ms).toISOString()
const person = (id, name, post, phone) => ({ id, name, post, phone, has_pin: true })

export const VILLAGE = { name: '青石村', region_code: '532301100201', time_zone: 'Asia/Shanghai' }

export const PEOPLE = [
  person('p1', '张建国', '村党总支书记', '13900000001'),
  person('p2', '李秀英', '网格信息管理员', '13900000002'),
  person('p3', '王大山', '网格员', '13900000003'),
  person('p4', '赵小梅', '妇女主任', '13900000004'),
]
const [lead, officer, worker, deputy] = PEOPLE

export const PIN = '2468'
export const OPERATOR = officer

export const DUTY = {
  shift: { name: '夜班', start: iso(now - 4 * 3_600_000), end: iso(now + 10 * 3_600_000), held_over: false },
  people: [
    { person: lead, post: 'lead' },
    { person: officer, post: 'officer' },
    { person: deputy, post: 'deputy' },
    { person: worker, post: 'standby' },
  ],
}

const NAMES = ['村口主路', '文化广场', '水库路口', '小学门口', '老街桥头', '打谷场', '卫生室前', '后山林道', '集贸市场']

export function cameras(count) {
  return NAMES.slice(0, count).map((name, index) => ({
    uid: `box-qingshi.cam${index + 1}`,
    box_id: 'box-qingshi',
    camera_id: `cam${index + 1}`,
    name,
    grid_code: `53230110020100${index + 1}`,
    grid_name: `第${(index % 4) + 1}网格`,
    place: name,
    has_sub: true,
    state: 'live',
    since: iso(now - 3_600_000),
    last_packet_at: iso(now),
    disarmed_until: null,
    clock_state: null,
    clock_offset_ms: null,
  }))
}

export const BOX = {
  box_id: 'box-qingshi',
  name: '村委会主机',
  state: 'online',
  last_seen_at: iso(now),
  outbox_rows: 0,
  evidence_pending: 0,
  disk_free_bytes: 512e9,
  detector: 'live',
  detector_model: 'rtmdet-nano-person',
  software: '0.1.0',
}

const SIGN_MS = { extra_urgent: 60_000, urgent: 180_000, ordinary: 1_800_000 }
const VERIFY_MS = { extra_urgent: 180_000, urgent: 600_000, ordinary: 28_800_000 }
let serial = 0

/** Return a new alert of `camera` that began `agoMs` ago. */
export function alert(camera, kind, level, agoMs, more = {}) {
  serial += 1
  const started = Date.now() - agoMs
  return {
    id: `01930000-0000-7000-8000-${String(serial).padStart(12, '0')}`,
    kind,
    level,
    mode: 'live',
    state: 'NEW',
    camera: { uid: camera.uid, name: camera.name },
    grid: { code: camera.grid_code, name: camera.grid_name },
    rule_id: `${kind}-1`,
    region_id: 'all',
    started_at: iso(started),
    ended_at: null,
    updated_at: iso(started),
    received_at: iso(started + 200),
    late: false,
    clock_doubtful: false,
    count: kind === 'gathering' ? 7 : 0,
    threshold: kind === 'gathering' ? 3 : 0,
    peak: kind === 'gathering' ? 9 : 0,
    confidence: 0.87,
    on_duty: DUTY.people,
    acked_by: null,
    acked_at: null,
    verified_by: null,
    verified_at: null,
    reason: null,
    note: null,
    sign_by: iso(started + 200 + SIGN_MS[level]),
    verify_by: iso(started + 200 + VERIFY_MS[level]),
    incident_id: null,
    activity: null,
    evidence: [],
    lacks: [],
    box_id: 'box-qingshi',
    sequence: serial,
    ...more,
  }
}

export function incident(from, level, category, summary, openedAgoMs, deadlineInMs) {
  serial += 1
  return {
    id: `01930000-0000-7000-9000-${String(serial).padStart(12, '0')}`,
    serial: `QS-20261122-${String(serial).padStart(3, '0')}`,
    state: 'ACCEPTED',
    level,
    category,
    summary,
    grid: from.grid,
    camera: from.camera,
    owner: officer,
    first_receiver: officer,
    handler: null,
    opened_at: iso(Date.now() - openedAgoMs),
    deadline: iso(Date.now() + deadlineInMs),
    overdue: deadlineInMs < 0,
    closed_at: null,
    alert_ids: [from.id],
  }
}

const codes = (text) =>
  text.split(' ').map((each) => {
    const [code, zh, en] = each.split('|')
    return { code, zh, en: en.replaceAll('_', ' ') }
  })

export const CODES = {
  kinds: codes('gathering|人员聚集|gathering flame|明火|open_flame smoke|烟雾|smoke camera_lost|点位离线|camera_offline detector_down|检测停止|detector_stopped storage|存储故障|storage_fault outbox|告警积压|alerts_pile_up lens_covered|镜头遮挡|lens_covered picture_blurred|图像模糊|picture_blurred camera_moved|画面偏移|camera_moved picture_frozen|画面冻结|picture_frozen picture_overexposed|画面过曝|picture_overexposed picture_underexposed|画面过暗|picture_too_dark camera_clock|时间偏差|camera_clock_wrong'),
  levels: codes('ordinary|一般|ordinary urgent|紧急|urgent extra_urgent|特急|extra_urgent'),
  modes: codes('live|正式|live trial|试运行|trial_run drill|演练|drill'),
  alert_states: codes('NEW|待签收|to_be_signed ACKED|已签收·核实中|signed,_being_verified CONFIRMED|属实|true FALSE|误报|false_alarm KNOWN|已知活动|known_event'),
  false_reasons: codes(
    'cooking_smoke|炊烟|cooking_smoke ritual_burning|烧纸祭祀|burning_for_the_dead permitted_burning|焚烧垃圾(许可)|permitted_burning light_reflection|灯光反光|reflected_light headlights|车灯|headlights sunset|夕阳|sunset fog|雾气水汽|fog_or_steam insects|飞虫蛛网|insects_or_cobwebs rain_snow|雨雪|rain_or_snow red_object|红色物体|red_object shaking|画面抖动|shaking_picture miscount|人数误判|people_miscounted other|其他|other',
  ),
  categories: codes('fire|火灾事故|fire traffic|交通事故|traffic_accident disaster|自然灾害|natural_disaster crowd_safety|人员聚集·公共安全|crowd_and_public_safety equipment|设备故障|equipment_fault other|其他|other'),
  incident_states: codes('ACCEPTED|已受理|accepted HANDLING|处置中|being_handled FEEDBACK|已反馈·待核查|to_be_checked CLOSED|已办结|closed'),
  activity_kinds: codes('wedding|婚宴|wedding market|集市|market dance|广场舞|square_dancing temple|庙会|temple_fair building|施工|building_work school|放学|school_ends other|其他|other'),
  activity_states: codes('waiting|待批准|to_be_approved planned|未开始|planned on|进行中|going_on over|已结束|over cancelled|已取消|cancelled'),
  gap_reasons: codes('camera_lost|点位离线|camera_offline restart|主机重启|box_restarted'),
}
