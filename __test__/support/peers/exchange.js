'use strict'

const { expressSession, loaded, session } = require('../sessions')
const { HOUR, MINUTE, apart } = require('../time')

const CAST = {
  sqlite: (name) => `CAST(${name} AS TEXT)`,
  postgres: (name) => `${name}::text`,
  mysql: (name) => `CAST(${name} AS CHAR)`
}

/** The rows of a table as the database prints them, by the session id. */
async function rowTexts(database, place, { tableName, sid }) {
  const quote = (name) => (database.dialect === 'postgres' ? `"${name}"` : `\`${name}\``)
  const [first] = await database.query(place, `SELECT * FROM ${quote(tableName)} LIMIT 1`)
  const columns = Object.keys(first ?? { [sid]: '' }).map(
    (name) => `${CAST[database.dialect](quote(name))} AS ${quote(name)}`
  )
  const rows = await database.query(place, `SELECT ${columns.join()} FROM ${quote(tableName)}`)
  return Object.fromEntries(rows.map(({ [sid]: id, ...row }) => [id, row]))
}

/** A session that expires at a whole second, which every column can keep. */
function whole(data, maxAge) {
  const value = session(data, maxAge)
  value.cookie.expires.setUTCMilliseconds(0)
  return value
}

/** An instant as a table keeps it, in milliseconds. */
function instant(text) {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  return Date.parse(text.includes('T') ? text : `${text.replace(' ', 'T').replace(/[ +].*/, '')}Z`)
}

/**
 * One table served by this store and by another: each reads, touches, updates, destroys and removes what the other has written.
 *
 * @param columns `{ tableName, sid, expires, data }`, how the table names them
 * @param peer what `startPeers().open` gives
 * @param quirks `keepsExpired`: its `get` finds expired sessions; `noTouch`: it has no `touch`; `drifts`: its `set` counts from the lifetime,
 *   so that some time is lost
 */
async function exchange({ database, place, store, peer, columns, keepsExpired, noTouch, drifts }) {
  const rows = () => rowTexts(database, place, columns)
  const give = (sid, data) => store.set(sid, expressSession(sid, data))

  // Each reads the other's.
  const theirs = whole({ user: 'adä 😀', text: 'it\'s "quoted" \\ `and` %s', list: [1, null, {}] })
  const ours = whole({ user: 'bob', i: 1 }, 5 * HOUR)
  await peer.set('theirs', theirs)
  await give('ours', ours)
  expect(content(await store.get('theirs'))).toEqual(content(theirs))
  expect(content(await peer.get('ours'))).toEqual(content(ours))
  expect((await store.ids()).sort()).toEqual(['ours', 'theirs'])

  // Both write the same.
  const twin = whole({ user: 'twin' }, 3 * HOUR)
  await peer.set('twin 1', twin)
  await give('twin 2', twin)
  const written = await rows()
  const { [columns.expires]: peerExpires, ...peerRow } = written['twin 1']
  const { [columns.expires]: ourExpires, ...ourRow } = written['twin 2']
  expect(withoutStamps(ourRow)).toEqual(withoutStamps(peerRow))
  if (drifts) expect(apart(instant(ourExpires), instant(peerExpires))).toBeLessThan(MINUTE)
  else expect(ourExpires).toBe(peerExpires)
  expect(form(ourExpires)).toBe(form(peerExpires))

  // Each updates the other's.
  await peer.set('ours', { ...ours, i: 2 })
  expect((await store.get('ours')).i).toBe(2)
  const request = loaded(store, 'theirs', await store.get('theirs'))
  request.again = true
  await store.set('theirs', request)
  expect(await peer.get('theirs')).toMatchObject({ user: 'adä 😀', again: true })

  // Each moves the expiry of the other's.
  const later = whole({}, 9 * HOUR)
  await store.touch('theirs', expressSession('theirs', later))
  if (!noTouch) {
    await peer.touch('ours', later)
    const touched = await rows()
    expect(touched.theirs[columns.expires]).toBe(touched.ours[columns.expires])
    const odd = whole({}, 9 * HOUR)
    odd.cookie.expires.setUTCMilliseconds(678)
    await store.touch('theirs', expressSession('theirs', odd))
    await peer.touch('ours', odd)
    const [one, other] = await rows().then(({ theirs, ours }) => [theirs, ours].map((row) => row[columns.expires]))
    expect(Math.abs(instant(one) - instant(other))).toBeLessThanOrEqual(1000)
    expect(Math.abs(instant(one) - Number(odd.cookie.expires) - zone(peerExpires, twin))).toBeLessThan(1000)
  }
  expect(await peer.get('theirs')).toMatchObject({ user: 'adä 😀' })
  expect(await store.get('ours')).toMatchObject({ user: 'bob' })

  // Expired sessions are nobody's.
  const dead = whole({ dead: true }, -HOUR)
  for (const prune of [async () => expect(await store.clearExpiredSessions()).toBe(2), peer.prune]) {
    await peer.set('dead 1', dead)
    await give('dead 2', dead)
    for (const sid of ['dead 1', 'dead 2']) {
      expect(await store.get(sid)).toBeNull()
      if (!keepsExpired) expect(await peer.get(sid)).toBeFalsy()
    }
    await store.touch('dead 1', expressSession('dead 1', later))
    expect(await store.get('dead 1')).toBeNull()
    await prune()
    const left = Object.entries(await rows()).filter(([, { deletedAt }]) => !deletedAt)
    expect(left.map(([sid]) => sid).sort()).toEqual(['ours', 'theirs', 'twin 1', 'twin 2'])
    // Rows that the other has deleted softly would be in its way.
    await Promise.all(['dead 1', 'dead 2'].map((sid) => store.destroy(sid)))
  }

  // Each ends the other's, for good.
  await store.destroy('theirs')
  expect(await peer.get('theirs')).toBeFalsy()
  const slow = loaded(store, 'ours', await store.get('ours'))
  await peer.destroy('ours')
  await store.set('ours', slow)
  expect(await store.get('ours')).toBeNull()
  expect(await peer.get('ours')).toBeFalsy()
  await store.destroy('twin 2')
  await peer.set('twin 2', twin)
  expect(content(await store.get('twin 2'))).toEqual(content(twin))
  expect((await store.ids()).sort()).toEqual(['twin 1', 'twin 2'])
  expect(store.stats()).toMatchObject({ errors: 0, unreadable: 0, gone: 1 })
}

/** What the application has put into a session, and when it expires. */
const content = ({ cookie, ...data }) => ({ ...data, expires: new Date(cookie.expires) })

/** The form of a date. PostgreSQL leaves out the zeros at the end of its fraction. */
const form = (date) => date.replace(/\.\d+(?=\+\d\d$)/, '').replace(/\d/g, '0')

/** A row without the digits of its time stamps, which differ between two calls. */
const withoutStamps = (row) =>
  Object.fromEntries(
    Object.entries(row).map(([name, text]) => [name, /^(created|updated)/.test(name) ? form(text) : text])
  )

/** How far the dates of a table are from UTC, in milliseconds. */
const zone = (text, { cookie }) => Math.round((instant(text) - Number(cookie.expires)) / 60_000) * 60_000

module.exports = { exchange }
