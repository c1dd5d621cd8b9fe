// eventsource-parser (npm): `createParser`, fed by a `TextDecoder`, with `onId` and `onRetry` as its README shows them.
//
//   node for_eventsource_parser.mjs FOLDER     FOLDER is where npm has installed it

import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {resolve} from 'node:path'
import {createInterface} from 'node:readline'
import {pathToFileURL} from 'node:url'

const require = createRequire(resolve(process.argv[2] ?? '.', 'any.js'))
const {createParser} = await import(pathToFileURL(require.resolve('eventsource-parser')))
const {version} = JSON.parse(readFileSync(require.resolve('eventsource-parser/package.json')))

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}

function decode(question) {
  const answer = {run: question.run, events: [], lastEventId: '', reconnectionTime: null}
  let chunk = null
  const parser = createParser({
    onEvent: (event) =>
      answer.events.push({
        type: event.event ?? 'message',
        data: event.data,
        lastEventId: answer.lastEventId,
        chunk,
      }),
    onId: (id) => (answer.lastEventId = id),
    onRetry: (milliseconds) => (answer.reconnectionTime = milliseconds),
  })
  const decoder = new TextDecoder()
  try {
    for (const [index, base64] of question.chunks.entries()) {
      chunk = index + 1
      parser.feed(decoder.decode(Buffer.from(base64, 'base64'), {stream: true}))
    }
  } catch (error) {
    answer.error = String(error)
  }
  return answer
}

say({
  protocol: 1,
  name: 'eventsource-parser',
  version,
  runtime: `Node ${process.versions.node}`,
  offers: ['event.lastEventId', 'end.lastEventId', 'end.reconnectionTime'],
})
for await (const line of createInterface({input: process.stdin})) say(decode(JSON.parse(line)))
