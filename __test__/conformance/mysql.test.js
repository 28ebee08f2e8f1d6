'use strict'

const conformance = require('.')
const { onDatabases } = require('../support/suites')

onDatabases(({ dialect }) => dialect === 'mysql', conformance)
