'use strict'

const tableChanges = require('../on-servers/table-changes')
const { kit } = require('./kit')
const { onPostgres } = require('./setup')

onPostgres((database) => tableChanges(database, kit(database)))
