// @ts-check
'use strict'

const { html } = require('./html')

/**
 * @param {string} title
 * @param {ReturnType<typeof html>} body
 */
function page(title, body) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.toString()
}

const dateFormat = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC'
})

/** @param {Date} date */
function time(date) {
  return html`<time datetime="${date.toISOString()}">${dateFormat.format(date)} UTC</time>`
}

const logout = html`<form method="post" action="/logout"><button class="quiet">Log out</button></form>`

/** @param {{ name?: string, problem?: string }} [entered] */
function loginPage({ name = '', problem } = {}) {
  const attributes = problem ? html`aria-invalid="true" aria-describedby="problem"` : ''
  return page(
    'Log in',
    html`<h1>Log in</h1>
<p>Any name will do. This example asks for no password.</p>
<form method="post" action="/login">
<label for="name">Name</label>
<input id="name" name="name" value="${name}" maxlength="60" autocomplete="username" required autofocus ${attributes}>
${problem ? html`<p id="problem" class="problem" role="alert">${problem}</p>` : ''}
<button>Log in</button>
</form>`
  )
}

/** @param {{ name: string, visits: number }} user */
function homePage({ name, visits }) {
  return page(
    `Hello, ${name}`,
    html`<h1>Hello, ${name}</h1>
<p class="counter"><strong>${visits}</strong> ${visits === 1 ? 'visit' : 'visits'} since you logged in</p>
<p>Reload this page and the number grows. Restart the server, reload, and you are still logged in.</p>
<div class="actions"><a class="button" href="/session">Show my session</a>${logout}</div>`
  )
}

/**
 * @param {string} sid
 * @param {{ user?: { since: string } }} session
 * @param {Date | null} [expires]
 */
function sessionPage(sid, session, expires) {
  const { user } = session
  return page(
    'My session',
    html`<h1>My session</h1>
<dl>
<dt>Id</dt><dd><code>${sid.slice(0, 8)}…</code> The whole id is a secret, as a password is.</dd>
<dt>Logged in</dt><dd>${user ? time(new Date(user.since)) : 'no'}</dd>
<dt>Expires</dt><dd>${expires ? time(expires) : 'with the browser'}. Each request moves this on.</dd>
</dl>
<h2>What it holds</h2>
<pre><code>${JSON.stringify(session, null, 2)}</code></pre>
<div class="actions"><a class="button" href="/">Back</a>${logout}</div>`
  )
}

/**
 * @param {string} title
 * @param {string} text
 */
function messagePage(title, text) {
  return page(
    title,
    html`<h1>${title}</h1>
<p>${text}</p>
<div class="actions"><a class="button" href="/">Start page</a></div>`
  )
}

module.exports = { homePage, loginPage, messagePage, sessionPage }
