// The Matrix client-server API as far as a chat page needs it. No DOM here.

export class MatrixError extends Error {
  /** status 0: no answer at all (network, CORS, timeout). */
  constructor(status, code, message, wait = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.wait = wait;
  }
}

const text = (x, otherwise = '') => (typeof x === 'string' ? x : otherwise);

export class MatrixClient {
  constructor(base) {
    this.base = base.replace(/\/+$/, '');
    this.token = null;
    this.user = null;
    this.device = null;
    this.counter = 0;
    this.epoch = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  }

  /** A fresh transaction id; sending again with the same one never doubles a message. */
  txn() {
    return `page-${this.epoch}-${++this.counter}`;
  }

  async raw(method, path, { query, body, type, timeout = 30000, signal } = {}) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    const stop = () => abort.abort();
    signal?.addEventListener('abort', stop);
    const headers = {};
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
    const address = this.base + path + (query ? `?${new URLSearchParams(query)}` : '');
    try {
      const answer = await fetch(address, {
        method, headers, signal: abort.signal, credentials: 'omit', cache: 'no-store',
        body: body === undefined ? undefined : type ? body : JSON.stringify(body),
      });
      if (answer.ok) return { data: await answer[path.includes('/download/') ? 'blob' : 'json']() };
      let error = {};
      try {
        error = await answer.json();
      } catch { /* not JSON: the status has to do */ }
      throw new MatrixError(answer.status, text(error?.errcode, 'UNKNOWN'),
        text(error?.error, `The homeserver answered ${answer.status}.`),
        Number(error?.retry_after_ms) || 1000 * Number(answer.headers.get('Retry-After')) || 0);
    } catch (e) {
      if (e instanceof MatrixError) throw e;
      throw new MatrixError(0, 'NO_ANSWER', 'The homeserver does not answer.');
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** As raw, but waits when the homeserver asks for it (429), at most five times. */
  async call(method, path, options = {}) {
    for (let attempt = 0; ; ++attempt) {
      try {
        return (await this.raw(method, path, options)).data;
      } catch (e) {
        if (e.status !== 429 || attempt >= 5) throw e;
        await new Promise((go) => setTimeout(go, Math.min(e.wait || 500 * 2 ** attempt, 15000)));
      }
    }
  }

  client(method, path, options) {
    return this.call(method, `/_matrix/client/v3${path}`, options);
  }

  async login(user, password, device) {
    this.token = null;
    const body = {
      type: 'm.login.password', identifier: { type: 'm.id.user', user }, password,
      initial_device_display_name: 'Patchbay console',
    };
    if (device) body.device_id = device;
    const data = await this.client('POST', '/login', { body });
    this.token = text(data.access_token);
    this.user = text(data.user_id, user);
    this.device = text(data.device_id);
  }

  sync(since, wait, signal) {
    const query = { timeout: String(wait), filter: '{"room":{"timeline":{"limit":30}}}' };
    if (since) query.since = since;
    return this.client('GET', '/sync', { query, timeout: wait + 20000, signal });
  }

  createDirect(invite) {
    return this.client('POST', '/createRoom', {
      body: { preset: 'trusted_private_chat', is_direct: true, invite: [invite], name: 'Lobby' },
    });
  }

  join(room) {
    return this.client('POST', `/join/${encodeURIComponent(room)}`, { body: {} });
  }

  leave(room) {
    return this.client('POST', `/rooms/${encodeURIComponent(room)}/leave`, { body: {} });
  }

  async send(room, type, content, txn) {
    const data = await this.client('PUT',
      `/rooms/${encodeURIComponent(room)}/send/${type}/${encodeURIComponent(txn)}`, { body: content });
    return text(data.event_id);
  }

  redact(room, event, txn) {
    return this.client('PUT',
      `/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(event)}/${encodeURIComponent(txn)}`,
      { body: {} });
  }

  messages(room, from, limit = 40) {
    const query = { dir: 'b', limit: String(limit) };
    if (from) query.from = from;
    return this.client('GET', `/rooms/${encodeURIComponent(room)}/messages`, { query });
  }

  async read(room, event) {
    try {
      await this.client('POST',
        `/rooms/${encodeURIComponent(room)}/receipt/m.read/${encodeURIComponent(event)}`,
        { body: {} });
    } catch { /* a receipt is a courtesy */ }
  }

  /** The most bytes that a file may have; Infinity when the homeserver does not say. */
  async uploadLimit() {
    try {
      const data = await this.call('GET', '/_matrix/client/v1/media/config');
      return Number(data['m.upload.size']) || Infinity;
    } catch {
      return Infinity;
    }
  }

  /** Answers the mxc: address of the file. */
  async upload(file) {
    const data = await this.call('POST', '/_matrix/media/v3/upload', {
      query: { filename: file.name }, body: file, timeout: 300000,
      type: file.type || 'application/octet-stream',
    });
    return text(data.content_uri);
  }

  /** The bytes behind an mxc: address; servers before Matrix 1.11 know only the second path. */
  async download(mxc) {
    const match = /^mxc:\/\/([A-Za-z0-9.:_[\]-]+)\/([A-Za-z0-9_=.-]+)$/.exec(text(mxc));
    if (!match) throw new MatrixError(0, 'BAD_ADDRESS', 'This file has no usable address.');
    const tail = `/media/download/${match[1]}/${match[2]}`;
    try {
      return await this.call('GET', `/_matrix/client/v1${tail}`, { timeout: 300000 });
    } catch (e) {
      if (e.status !== 404 && e.status !== 405) throw e;
      return this.call('GET', `/_matrix/media/v3/download/${match[1]}/${match[2]}`, { timeout: 300000 });
    }
  }
}
