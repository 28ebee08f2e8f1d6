'use strict'

const { cookieExpiry } = require('./cookie-expiry.js')
const { expiresAt } = require('./session.js')
const { isObject } = require('./values.js')

/** Decides which touches are written, by the options `disableTouch` and `touchAfter`. */
class TouchGate {
  /**
   * The times at which the rows of sessions expire, as far as this process knows. In ms.
   * @type {WeakMap<object, number>}
   */
  #expiries = new WeakMap()

  /**
   * Whether a touch of this session is to be skipped.
   * @param {unknown} session
   * @param {Pick<import('./options/complete.js').CompleteOptions, 'disableTouch' | 'expiration' | 'touchAfter'>} options
   */
  skips(session, { disableTouch, expiration, touchAfter }) {
    if (disableTouch) return true
    const stored = touchAfter > 0 && isObject(session) ? this.#expiries.get(session) : undefined
    if (stored === undefined) return false
    const gained = expiresAt(session, expiration, cookieExpiry(session)) - stored
    // A session in use must not expire because its touches are skipped.
    return gained >= 0 && gained < Math.min(touchAfter, (stored - Date.now()) / 2)
  }

  /**
   * The time after which a row must expire to be left alone by a touch, for rows that this process does not know: the same
   * rule as that of `skips`. Undefined if every touch is written.
   * @param {number} expires the new expiry, in ms
   * @param {number} now
   * @param {number} touchAfter
   */
  unlessAfter(expires, now, touchAfter) {
    if (!(touchAfter > 0)) return undefined
    return Math.floor(Math.max(expires - touchAfter, expires - (expires - now) / 3))
  }

  /**
   * Remembers when the row of a session expires.
   * @param {object} session
   * @param {number | undefined} expires in ms
   * @param {number} touchAfter
   */
  remember(session, expires, touchAfter) {
    if (touchAfter > 0 && expires !== undefined) this.#expiries.set(session, expires)
  }

  /**
   * Lets another object stand for the same session.
   * @param {object} from
   * @param {object} to
   */
  pass(from, to) {
    const expires = this.#expiries.get(from)
    if (expires !== undefined) this.#expiries.set(to, expires)
  }
}

module.exports = { TouchGate }
