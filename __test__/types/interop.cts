// `import … from` in a file that becomes CommonJS, with esModuleInterop.
import session from 'express-session'
import connect, { RustSequelizeStore } from 'rust-sequelize-store'

const one: session.Store = new RustSequelizeStore()
const two: session.Store = new (connect(session))()
const three: RustSequelizeStore = new connect.RustSequelizeStore()

export { one, three, two }
