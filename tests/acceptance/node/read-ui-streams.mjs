// Reads UI message streams as a browser does, with the npm package `ai`: stdin is a JSON list of
// streams, each as text; stdout is a JSON list of {message, errors}.
import { DefaultChatTransport, readUIMessageStream } from "ai";

// The transport's own way from bytes to chunks, which checks each chunk against the schema.
class Transport extends DefaultChatTransport {
  chunks(bytes) {
    return this.processResponseStream(bytes);
  }
}

async function read(text) {
  const errors = [];
  const stream = new Transport({}).chunks(new Blob([text]).stream());
  let message = null;
  for await (const state of readUIMessageStream({ stream, onError: (error) => errors.push(String(error)) })) {
    message = state;
  }
  return { message, errors };
}

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;
const results = [];
for (const text of JSON.parse(input)) results.push(await read(text));
process.stdout.write(JSON.stringify(results));
