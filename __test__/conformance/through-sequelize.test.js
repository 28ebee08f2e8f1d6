'use strict'

const conformance = require('.')
const { databases } = require('../support/databases/through-sequelize')
const { onEach } = require('../support/suites')

// What an application has whose database only Sequelize reaches, on the databases that are here.
onEach(databases, conformance)
