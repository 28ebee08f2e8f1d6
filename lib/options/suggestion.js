'use strict'

/**
 * The name that a misspelt one most likely stands for: it differs in case, or in a third of its letters at most.
 * @param {string} name
 * @param {readonly string[]} supported
 * @returns {string | undefined}
 */
function suggestion(name, supported) {
  const [best] = supported
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits)
  return best?.candidate
}

/**
 * Edit distance (Levenshtein 1966).
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = [...Array(b.length + 1).keys()]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]))
    }
    row = next
  }
  return row[b.length]
}

module.exports = { suggestion }
