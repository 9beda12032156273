// The bot of mock_world.mjs, played by a test: the events that the router would send.

/** link: the console's link. Answers {world(what, body), say…}. */
export async function playBot(link) {
  const [base, token] = link.split('#token=');
  const setup = await (await fetch(`${base}api/v1/console`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const world = async (what, body = {}) => (await fetch(`${setup.homeserver}/_mock/${what}`, { method: 'POST', body: JSON.stringify(body) })).json();
  let turns = 0;
  const rich = (body, html) => ({ body, ...(html ? { format: 'org.matrix.custom.html', formatted_body: html } : {}) });
  const put = async (room, content, more = {}) => (await world('put', { room, content, ...more })).event_id;
  const delivered = (kind, more = {}) => ({ 'io.patchbay.delivery': { turn: `t${turns}`, kind, part: 0, ...more } });
  const me = setup.accounts[0].user_id;

  return {
    me, bot: setup.bot, world, put,
    quiet: () => world('quiet', { on: true }),
    events: async (room) => (await world('room', { room })).events,
    /** An answer that grows; answers {grow(body, html), end(body, html)}. */
    async stream(room, to, body, html) {
      ++turns;
      const id = await put(room, { msgtype: 'm.notice', ...rich(body, html), 'm.relates_to': { 'm.in_reply_to': { event_id: to } }, ...delivered('draft') });
      const edit = (msgtype, kind) => (text, markup) => put(room, { msgtype, ...rich(`* ${text}`, markup), ...delivered(kind),
        'm.new_content': { msgtype, ...rich(text, markup), ...delivered(kind) }, 'm.relates_to': { rel_type: 'm.replace', event_id: id } });
      return { id, grow: edit('m.notice', 'draft'), end: edit('m.text', 'final') };
    },
    answer: (room, body, html) => put(room, { msgtype: 'm.text', ...rich(body, html), ...delivered('final') }),
    notice: (room, body, kind = 'notice') => put(room, { msgtype: 'm.notice', body, ...delivered(kind) }),
    ask: (room, id, body, expires = Date.now() + 1800000, sender = setup.bot, to = null) => put(room, { ...(to ? { 'm.relates_to': { 'm.in_reply_to': { event_id: to } } } : {}), msgtype: 'm.text', body: `${body}\n\nAnswer with !yes ${id} or !no ${id} (or ✅ / ❌ on this message) within 30 min.`, ...delivered('notice', { confirmation: { id, expires_at: expires } }) }, { sender }),
    react: (room, target, key, sender) => put(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key } }, { type: 'm.reaction', sender }),
    async file(room, msgtype, name, mimetype, bytes, more = {}) {
      const { url } = await world('media', { base64: bytes.toString('base64') });
      return put(room, { msgtype, body: name, filename: name, url, info: { mimetype, size: bytes.length, ...more.info }, ...delivered('file'), ...more.content });
    },
  };
}
