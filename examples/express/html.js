// @ts-check
'use strict'

/** Text that is already HTML. */
class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }

  toString() {
    return this.text
  }
}

/** @type {Record<string, string>} */
const ENTITIES = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

/** @param {unknown} value */
function toText(value) {
  if (value instanceof Html) return value.text
  return String(value ?? '').replace(/[&<>"']/g, (character) => {
    return ENTITIES[character] ?? ''
  })
}

/**
 * A template tag. It escapes the values unless they are HTML made by this tag.
 *
 * @param {TemplateStringsArray} strings
 * @param {unknown[]} values
 */
function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(toText)))
}

module.exports = { html }
