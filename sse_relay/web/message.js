/**
 * One message of the Anthropic Messages stream, put together block by block.
 *
 * The stream: message_start, then for each content block content_block_start, any number of
 * content_block_delta, content_block_stop; then message_delta and message_stop.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */

/** @typedef {"open" | "complete" | "incomplete"} BlockState */

/** Which block a delta belongs to whose start has never been seen. */
const BLOCK_OF_DELTA = new Map([
  ["text_delta", "text"],
  ["thinking_delta", "thinking"],
  ["input_json_delta", "tool_use"],
]);

/** Which field of a delta holds its characters. */
const CHARACTERS_OF_DELTA = new Map([
  ["text_delta", "text"],
  ["thinking_delta", "thinking"],
  ["input_json_delta", "partial_json"],
]);

export class Block {
  type;
  name;
  /** The start event's own block, for kinds that this page has no special view for. */
  start;
  state = /** @type {BlockState} */ ("open");
  /** The characters as they came: text, thinking, or the raw arguments of a tool. */
  pieces = /** @type {string[]} */ ([]);
  /** The arguments of a tool, parsed once, when the block is complete. */
  input = /** @type {unknown} */ (undefined);

  /** @param {Record<string, any>} start */
  constructor(start) {
    this.type = String(start.type);
    this.name = String(start.name ?? "");
    this.start = start;
    const first = start[this.type]; // "text" and "thinking" may begin with some
    if (typeof first === "string" && first !== "") this.pieces.push(first);
  }

  get characters() {
    return this.pieces.join("");
  }

  get isTool() {
    return this.type.endsWith("tool_use");
  }

  /** The protocol says that the block is whole: only now are a tool's arguments parsed. */
  complete() {
    this.state = "complete";
    if (!this.isTool) return;
    if (this.name === "") this.state = "incomplete"; // its start fell into a gap
    else this.#parseArguments();
  }

  #parseArguments() {
    const raw = this.characters;
    if (raw === "") {
      this.input = this.start.input ?? {}; // a tool without arguments sends no fragment
      return;
    }
    try {
      this.input = JSON.parse(raw);
    } catch {
      this.state = "incomplete";
    }
  }

  toJSON() {
    const { type, start, state, input } = this;
    return { type, start, state, input, characters: this.characters };
  }

  /** @param {any} saved */
  static fromJSON(saved) {
    const block = new Block({ ...saved.start, type: saved.type });
    block.pieces = saved.characters === "" ? [] : [saved.characters];
    block.state = saved.state;
    block.input = saved.input;
    return block;
  }
}

export class Message {
  model = "";
  blocks = /** @type {Block[]} */ ([]);
  stopReason = /** @type {string | null} */ (null);
  /** Output tokens as the provider counted them; null as long as it has not said. */
  outputTokens = /** @type {number | null} */ (null);
  /** Whether message_stop has come: the protocol's own end marker. */
  ended = false;
  #open = /** @type {Map<number, Block>} */ (new Map());

  /**
   * Takes the data of one event.  Kinds of events, blocks and deltas that are not known are
   * skipped: the protocol says that more may come.
   *
   * @param {any} data
   * @returns {string | null} the type of the block that grew; null if this was no piece of the
   *   answer (text, thinking or arguments)
   */
  receive(data) {
    switch (data.type) {
      case "content_block_start":
        return this.#start(data.index, data.content_block ?? {});
      case "content_block_delta":
        return this.#delta(data.index, data.delta ?? {});
      case "content_block_stop":
        this.#open.get(data.index)?.complete();
        this.#open.delete(data.index);
        break;
      case "message_start":
        this.model = String(data.message?.model ?? "");
        break;
      case "message_delta":
        this.stopReason = data.delta?.stop_reason ?? this.stopReason;
        this.outputTokens = data.usage?.output_tokens ?? this.outputTokens;
        break;
      case "message_stop":
        this.ended = true;
        this.finish();
        break;
      case "gap":
        if (data.snapshot > 0) this.#beginAnew();
        else this.#gap();
        break;
    }
    return null;
  }

  /** No event will come any more: what is open now is incomplete. */
  finish() {
    for (const block of this.#open.values()) block.state = "incomplete";
  }

  /** The turn is taken up again after all. */
  reopen() {
    for (const block of this.#open.values()) block.state = "open";
  }

  /** Whether a reader has seen a part of the answer. */
  get visible() {
    return this.blocks.some((block) => block.pieces.length > 0 || !isQuiet(block.type));
  }

  /** The text of the answer without thinking and tools: what a later question sends along. */
  get text() {
    const texts = this.blocks.filter((block) => block.type === "text");
    return texts.map((block) => block.characters).join("");
  }

  /** @param {number} index @param {Record<string, any>} start */
  #start(index, start) {
    const block = this.#add(index, start);
    return block.pieces.length > 0 ? block.type : null;
  }

  /** @param {number} index @param {Record<string, any>} start */
  #add(index, start) {
    const block = new Block(start);
    this.blocks.push(block);
    this.#open.set(index, block);
    return block;
  }

  /** @param {number} index @param {Record<string, any>} delta */
  #delta(index, delta) {
    const type = BLOCK_OF_DELTA.get(delta.type);
    const characters = delta[CHARACTERS_OF_DELTA.get(delta.type) ?? ""];
    if (type === undefined || typeof characters !== "string" || characters === "") return null;
    const block = this.#open.get(index) ?? this.#add(index, { type });
    block.pieces.push(characters);
    return block.type;
  }

  /** Events are gone: what was open is cut, and what comes next continues in blocks of its own. */
  #gap() {
    this.finish();
    this.#open.clear();
    this.blocks.push(new Block({ type: "gap" }));
  }

  /** Events are gone, and what follows tells them all in short. */
  #beginAnew() {
    this.#open.clear();
    this.blocks = [];
    this.stopReason = null;
    this.outputTokens = null;
  }

  toJSON() {
    const { model, stopReason, outputTokens, ended, blocks } = this;
    const open = [...this.#open].map(([index, block]) => [index, blocks.indexOf(block)]);
    return { model, stopReason, outputTokens, ended, blocks, open };
  }

  /** @param {any} saved what `toJSON` gave, by way of JSON */
  static fromJSON(saved) {
    const message = new Message();
    message.model = saved.model;
    message.stopReason = saved.stopReason;
    message.outputTokens = saved.outputTokens;
    message.ended = saved.ended;
    message.blocks = saved.blocks.map(Block.fromJSON);
    for (const [index, position] of saved.open) {
      message.#open.set(index, message.blocks[position]);
    }
    return message;
  }
}

/** Blocks that show nothing before their first character. @param {string} type */
function isQuiet(type) {
  return type === "text" || type === "thinking" || type === "gap";
}
