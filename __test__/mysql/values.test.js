'use strict'

const values = require('../on-servers/values')
const { kit } = require('./kit')
const { onEachMysql } = require('./setup')

onEachMysql((database) => values(database, kit(database)))
