/** A made-up box whose cameras can be set up, and the papers of cameras: /boxes/…/cameras. */

const ago = (ms) => new Date(Date.now() - ms).toISOString()
const code = (word, zh, en) => ({ code: word, zh, en })
const problem = (status, error, zh) => ({ status, body: { error, message: error, message_zh: zh } })
/** So long the box takes for a change. */
const TAKES_MS = 1_500
const STEP_MS = 400
const PASSWORD = '12345'

const CODES = {
  states: [code('unregistered', '未建档', 'not registered'), code('draft', '草稿', 'draft'), code('trial', '试运行', 'trial run'), code('in_use', '已启用', 'in use')],
  place_types: [code('crossroads', '主要路口', 'main crossroads'), code('gate', '村口', 'entrance of the village'), code('square', '广场', 'square'), code('other', '其他(请备注)', 'other (add a note)')],
  legal_bases: [
    code('art7_1', '第七条第一款:政府规划建设的公共场所', 'article 7 (1): public places planned by government'),
    code('art7_2', '第七条第二款:经营管理单位建设的人员聚集场所', 'article 7 (2): crowded places, by their operator'),
    code('art9', '第九条:负有安全防范义务的其他公共场所', 'article 9: other public places, by who must keep them safe'),
    code('non_public', '第三十三条:非公共场所', 'article 33: not a public place'),
  ],
  device_types: [code('fixed', '固定枪机', 'fixed camera'), code('ptz', '云台球机', 'pan-tilt-zoom')],
  lacks: [],
  filing_states: [],
  facts: [],
  checklist: [
    code('guest_rooms', '不在旅馆、民宿、饭店的客房或包间内', 'not inside guest rooms or private dining rooms'),
    code('dormitories', '不在宿舍或供人住宿、休息的房间内', 'not inside dormitories or rooms to sleep or rest in'),
    code('toilets', '不在卫生间内', 'not inside toilets'),
    code('privacy', '拍不到、听不到他人隐私(住户门窗内、院内等)', 'nothing private is seen or heard (inside homes, yards and the like)'),
  ],
}

const FOUND = [
  { address: '192.168.1.64', name: 'Bullet 4', hardware: 'IPC-B140', known_as: null },
  { address: '192.168.1.11', name: 'Dome', hardware: 'IPC-D120', known_as: 'cam1' },
]

const stream = (name, width, height, kbit_s, fps) => ({ stream: name, codec: 'H.264', width, height, fps, gop_s: 2, kbit_s, b_frames: false, transport: 'tcp', in_browser: 'yes', audio: name === 'main' })
const PROBED = {
  device: { maker: 'Example', model: 'Bullet 4', firmware: '1.2.3' },
  clock_offset_s: 7.4,
  streams: [stream('main', 2560, 1440, 4096, 25), stream('sub', 640, 360, 512, 10)],
  gb_per_day: 44.2,
  advice: [
    { code: 'sound', level: 'note', zh: '摄像机带声音。本系统不取声音,也不录声音;不用的话请在摄像机网页里关掉。', en: 'The camera offers sound. It is neither taken nor recorded.' },
    { code: 'clock', level: 'should', zh: '摄像机的钟差了 7 秒,请在摄像机网页里校时。', en: 'The camera’s clock is 7 s off.' },
  ],
}

const state = { version: 3, changedAt: 0, cameras: null, probes: new Map(), begun: 0, bulks: new Map(), points: new Map(), entries: [] }

const setUp = (camera, index) => ({ id: camera.camera_id, name: camera.name, grid_code: camera.grid_code, place: camera.place, legal_basis: 'art7_1', retention_days: null, retention_reason: '', enabled: true, host: `192.168.1.1${index + 1}`, has_sub: true, record_sub: false, from: 'file', rules: 1, state: 'live' })

function changed() {
  state.version += 1
  state.changedAt = Date.now()
}

function enter(act, cameraId, words) {
  state.entries.unshift({ at: ago(0), act, person: { id: 'p2', name: '李秀英', post: '', phone: '', has_pin: true }, camera_id: cameraId, outcome: 'done', words })
}

function probeAnswer(probe) {
  const steps = ['looking', 'asking', 'main', 'sub']
  const at = Math.floor((Date.now() - probe.at) / STEP_MS)
  const nothing = { device: null, clock_offset_s: null, streams: [], gb_per_day: null, advice: [], problem: null }
  if (probe.wrong && at >= 1) return { state: 'failed', step: 'asking', ...nothing, problem: { kind: 'password_wrong', zh: '摄像机不认这个用户名或密码。只试了一次,免得锁住账号;请核对后再试。', en: 'The camera refuses this user or password.' } }
  if (at < steps.length) return { state: 'running', step: steps[at], ...nothing }
  return { state: 'done', step: 'sub', problem: null, ...PROBED }
}

/** Once the box runs a new camera the centre hears of it. */
function arrive(camera, boxId, cameras, tell) {
  setTimeout(() => {
    camera.state = 'live'
    const heard = { uid: `${boxId}.${camera.id}`, box_id: boxId, camera_id: camera.id, name: camera.name, grid_code: camera.grid_code, grid_name: '第1网格', place: camera.place, has_sub: true, state: 'live', since: ago(0), last_packet_at: ago(0), disarmed_until: null }
    cameras.push(heard)
    tell('camera', heard)
  }, TAKES_MS)
}

function rowsOf(csv) {
  const [, ...lines] = csv.trim().split('\n')
  return lines.map((line, index) => {
    const [name, address] = line.split(',')
    const good = name !== '' && /^[\d.]+$/.test(address ?? '')
    return { line: index + 2, id: '', name, verdict: good ? 'ok' : 'refused', zh: good ? '' : '地址不对', en: good ? '' : 'not an address' }
  })
}

function bulkAnswer(bulk) {
  const done = Math.floor((Date.now() - bulk.at) / STEP_MS)
  const rows = bulk.rows.map((row, index) => ({ line: row.line, id: row.id, name: row.name, state: row.verdict === 'refused' ? 'failed' : index < done ? 'saved' : index === done ? 'probing' : 'waiting', zh: row.zh, en: row.en }))
  return { state: done > rows.length ? 'done' : 'running', rows }
}

function answerSetup(method, parts, query, body, cameras, tell, boxId) {
  const [first, id, last] = parts
  const camera = state.cameras.find((each) => each.id === id)
  switch (`${method} ${first}${id === undefined ? '' : '/:'}${last === undefined ? '' : `/${last}`}`) {
    case 'POST searches':
      state.searchedAt = Date.now()
      return { status: 201, body: { id: 's1' } }
    case 'GET searches/:': {
      const done = Date.now() - state.searchedAt > STEP_MS
      return { status: 200, body: { state: done ? 'done' : 'running', found: done ? FOUND : [], unreadable: 0 } }
    }
    case 'POST probes': {
      const probeId = `p${(state.begun += 1)}`
      state.probes.set(probeId, { at: Date.now(), wrong: body.username !== undefined && body.password !== PASSWORD })
      return { status: 201, body: { id: probeId } }
    }
    case 'GET probes/:':
      return state.probes.has(id) ? { status: 200, body: probeAnswer(state.probes.get(id)) } : problem(404, 'not_found', '检查结果已过期,请重新检查')
    case 'GET cameras':
      return { status: 200, body: { version: state.version, running: Date.now() - state.changedAt > TAKES_MS ? state.version : state.version - 1, cameras: state.cameras } }
    case 'POST cameras': {
      const made = { ...setUp({ camera_id: `cam${state.cameras.length + 1}`, ...body }, state.cameras.length), legal_basis: body.legal_basis, retention_days: body.retention_days ?? null, host: '192.168.1.64', from: 'layer', rules: 0, state: 'connecting' }
      state.cameras.push(made)
      changed()
      enter('add', made.id, `name ${made.name}: ${body.reason}`)
      arrive(made, boxId, cameras, tell)
      return { status: 201, body: made }
    }
    case 'PATCH cameras/:': {
      const { reason, ...change } = body
      Object.assign(camera, change, { from: 'layer' }, change.enabled === false ? { state: 'off' } : {})
      changed()
      enter('change', id, reason)
      return { status: 200, body: camera }
    }
    case 'POST cameras/:/replace':
      Object.assign(camera, { host: '192.168.1.64', from: 'layer' })
      changed()
      enter('replace', id, body.reason)
      return { status: 200, body: camera }
    case 'POST cameras/:/like':
      Object.assign(camera, { from: 'layer' })
      changed()
      enter('copy', id, `like ${body.camera_id}: ${body.reason}`)
      return { status: 200, body: camera }
    case 'DELETE cameras/:':
      state.cameras = state.cameras.filter((each) => each.id !== id)
      changed()
      enter('remove', id, query.get('reason'))
      return { status: 204 }
    case 'POST bulk': {
      const rows = rowsOf(body.csv)
      if (!body.apply) return { status: 200, body: { rows } }
      state.bulks.set('b1', { at: Date.now(), rows })
      return { status: 201, body: { id: 'b1' } }
    }
    case 'GET bulk/:':
      return { status: 200, body: bulkAnswer(state.bulks.get(id)) }
  }
  return problem(404, 'not_found', '没有找到')
}

function answerPoints(method, parts, body) {
  const [uid, what] = parts
  if (uid === undefined) return { status: 200, body: [...state.points.values()] }
  if (uid === 'codes') return { status: 200, body: CODES }
  const point = state.points.get(uid) ?? { uid, state: 'draft', manager_unit: '' }
  if (method === 'PUT' && what === undefined) Object.assign(point, body)
  if (what === 'state') point.state = body.state
  state.points.set(uid, point)
  return { status: 200, body: point }
}

/** Return the answer to a call about cameras' set-up and papers, or null where it is about something else. */
export function answerEnrolment(method, path, query, body, user, cameras, tell, picture) {
  state.cameras ??= cameras.map(setUp)
  if (path === '/sites') return { status: 200, body: { grids: cameras.slice(0, 4).map((each) => ({ code: each.grid_code, name: each.grid_name })) } }
  if (path.startsWith('/points')) return answerPoints(method, path.split('/').slice(2), body)
  const ours = /^\/boxes\/([^/]+)\/(enrolments|edge\/v1\/setup\/(.+))$/.exec(path)
  if (ours === null) return null
  if (user !== 'admin') return problem(403, 'forbidden', '没有权限')
  if (ours[2] === 'enrolments') return { status: 200, body: state.entries }
  if (path.endsWith('/picture.jpg')) return picture()
  return answerSetup(method, ours[3].split('/'), query, body, cameras, tell, ours[1])
}
