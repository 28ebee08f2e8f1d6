'use strict'

/** Makes tables as a kit spells them: `columns(types)` is the DDL of their columns, `existing(ddl)` resolves with a place that has one. */
function tablesOf({ place, query }, { quote: q, varchar, date, key }) {
  /** The columns of a table as Sequelize makes it, some of them of other types; null leaves one out. */
  function columns(given = {}) {
    const types = {
      sid: `${varchar} ${key}`,
      expires: date,
      data: 'TEXT',
      createdAt: `${date} NOT NULL`,
      updatedAt: `${date} NOT NULL`,
      ...given
    }
    const entries = Object.entries(types).filter(([, type]) => type !== null)
    return entries.map(([name, type]) => `${q(name)} ${type}`).join(', ')
  }

  async function existing(ddl, name = 'Sessions') {
    const where = place()
    await query(where, `CREATE TABLE ${q(name)} (${ddl})`)
    return where
  }

  return { columns, existing }
}

module.exports = { tablesOf }
