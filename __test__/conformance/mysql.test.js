'use strict'

const conformance = require('.')
const databases = require('../support/databases')

for (const database of databases.filter(({ dialect }) => dialect === 'mysql')) conformance(database)
