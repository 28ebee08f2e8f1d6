import '@fastify/session'

declare module 'fastify' {
  interface Session {
    user?: { name: string; visits: number; since: string }
  }
}
