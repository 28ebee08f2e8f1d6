'use strict'

const conformance = require('./conformance')
const databases = require('./databases')

for (const database of databases.filter(({ dialect }) => dialect === 'sqlite')) conformance(database)
