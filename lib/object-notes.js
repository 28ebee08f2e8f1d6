'use strict'

/** A class whose constructor returns the object that it is given, so that a subclass adds its private fields to it. */
class Same {
  /** @param {object} object */
  constructor(object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object
  }
}

/**
 * Notes on objects, as in a WeakMap, for objects that are many and live for a short time: the garbage collector spends more
 * than a microsecond on each entry of a WeakMap. The notes are private fields of the objects, so nothing else sees them.
 * @template Note
 */
function objectNotes() {
  return class ObjectNotes extends Same {
    /** @type {Note} */
    #note

    /**
     * @param {object} object
     * @param {Note} note
     */
    constructor(object, note) {
      super(object)
      this.#note = note
    }

    /**
     * @param {object} object
     * @returns {Note | undefined}
     */
    static of(object) {
      return #note in object ? object.#note : undefined
    }

    /**
     * @param {object} object
     * @param {Note} note
     */
    static write(object, note) {
      if (#note in object) object.#note = note
      else new ObjectNotes(object, note)
    }
  }
}

module.exports = { objectNotes }
