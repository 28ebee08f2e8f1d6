'use strict'

const tableChanges = require('../on-servers/table-changes')
const { kit } = require('./kit')
const { onEachMysql } = require('./setup')

onEachMysql((database) => tableChanges(database, kit(database)))
