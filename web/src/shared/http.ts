// Requests to the server of this page. Every refusal becomes an `ApiError` that says what the server said.
const BASE = "/apis/v2beta1";

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export const url = (path: string) => `${BASE}${path}`;

export async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const form = body instanceof FormData;
  const answer = await reach(path, {
    method,
    // A form brings its own type, with its boundary.
    headers: form ? {} : { "Content-Type": "application/json" },
    body: form ? body : body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : {}) as T;
}

export const get = <T>(path: string) => send<T>("GET", path);

/** A request whose body is read by the caller. */
export async function reach(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(url(path), { credentials: "same-origin", ...init }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The server does not answer. Is `penstock up` still running?");
  });
  if (!answer.ok) throw new ApiError(answer.status, await reason(answer));
  return answer;
}

async function reason(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => "");
  try {
    const { message } = JSON.parse(text) as { message?: string };
    if (message) return message;
  } catch {
    // Not ours: a proxy's page, or nothing.
  }
  return `The server answered ${answer.status} ${answer.statusText}`.trim() + ".";
}

export const query = (params: Record<string, string | number | string[] | undefined>) => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== "") search.append(key, String(one));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
};
