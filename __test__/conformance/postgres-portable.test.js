'use strict'

const conformance = require('.')
const { modes } = require('../support/databases')
const { onEach } = require('../support/suites')

onEach(modes, conformance)
