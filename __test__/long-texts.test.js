'use strict'

const { constants } = require('node:buffer')
const { session } = require('./support/sessions')
const { onDatabases } = require('./support/suites')
const { PATIENCE } = require('./support/time')

/** More bytes than JavaScript's longest string can have. */
const BYTES = 580_000_000

/** What makes such a text. MySQL and MariaDB do not send one, since packets end before. */
const TEXTS = { postgres: `repeat('x', ${BYTES})`, sqlite: `zeroblob(${BYTES})` }

onDatabases(
  ({ dialect, supports }) => TEXTS[dialect] !== undefined && supports.otherClient,
  (database) => {
    test(
      'a text beyond the longest string is a miss, and every call of its batch is answered',
      async () => {
        expect(BYTES).toBeGreaterThan(constants.MAX_STRING_LENGTH)
        const store = database.open({ checkExpirationInterval: 0 })
        for (const sid of ['ada', 'long', 'zoe']) await store.set(sid, session({ user: sid }))
        await database.query(store, `UPDATE "Sessions" SET "data" = ${TEXTS[database.dialect]} WHERE "sid" = 'long'`)
        const sids = ['ada', 'long', 'zoe', 'long', 'missing', 'ada']
        const found = await Promise.all(sids.map((sid) => store.get(sid)))
        expect(found.map((each) => each?.user ?? null)).toEqual(['ada', null, 'zoe', null, null, 'ada'])
        expect(Object.keys(await store.all())).toEqual(['ada', 'zoe'])
        expect(store.stats()).toMatchObject({ hits: 3, misses: 3, unreadable: 3, errors: 0, pending: 0 })
        await store.destroy('long')
      },
      8 * PATIENCE
    )
  }
)
