'use strict'

const values = require('../on-servers/values')
const { kit } = require('./kit')
const { onPostgres } = require('./setup')

onPostgres((database) => values(database, kit(database)))
