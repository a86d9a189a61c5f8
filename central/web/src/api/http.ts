/** One way to ask the centre: JSON over fetch, same origin, errors as values that people can read. */

export const BASE = '/api/v1'

export class CentreError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly messageZh: string,
  ) {
    super(message)
    this.name = 'CentreError'
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

/** Return `path` with the parameters that have a value; empty texts count as none. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

async function problem(response: Response): Promise<CentreError> {
  const fallback = `HTTP ${response.status}`
  try {
    const body = (await response.json()) as Record<string, unknown>
    const message = typeof body.message === 'string' ? body.message : fallback
    return new CentreError(
      response.status,
      typeof body.error === 'string' ? body.error : 'unknown',
      message,
      typeof body.message_zh === 'string' ? body.message_zh : message,
    )
  } catch {
    return new CentreError(response.status, 'unknown', fallback, fallback)
  }
}

function unreachable(error: unknown): never {
  throw new CentreError(0, 'unreachable', String(error), '连不上中心平台')
}

/** Return the answer's JSON (undefined for 204). Rejects with CentreError; status 0: no whole answer. */
export async function request<T>(method: string, path: string, body?: unknown, timeoutMs = 15_000): Promise<T> {
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(timeoutMs),
  }
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  const response = await fetch(BASE + path, init).catch(unreachable)
  if (!response.ok) throw await problem(response)
  if (response.status === 204) return undefined as T
  // A weak link may break in the midst of an answer, or a stranger's page answer for the centre.
  return (await response.json().catch(unreachable)) as T
}

/** Send bytes as they are and return the answer's JSON. Rejects as `request` does. */
export async function upload<T>(path: string, body: Blob, timeoutMs = 120_000): Promise<T> {
  const init: RequestInit = { method: 'PUT', credentials: 'same-origin', cache: 'no-store', body, signal: AbortSignal.timeout(timeoutMs) }
  const response = await fetch(BASE + path, init).catch(unreachable)
  if (!response.ok) throw await problem(response)
  return (await response.json().catch(unreachable)) as T
}

/** Return the answer as it is. Rejects as `request` does, and where `signal` gives it up. */
export async function bytes(path: string, signal: AbortSignal): Promise<{ body: Uint8Array<ArrayBuffer>; headers: Headers }> {
  const response = await fetch(BASE + path, { credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]) })
  if (!response.ok) throw await problem(response)
  return { body: new Uint8Array(await response.arrayBuffer()), headers: response.headers }
}
