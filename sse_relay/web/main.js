/** Puts the page together: the controls, the conversation, the turn that is running, the store. */

import { browser, newTurnId } from "./browser.js";
import { Exchange, requestMessages } from "./conversation.js";
import { setIcon, setText } from "./dom.js";
import { Simulator } from "./simulator.js";
import { STATES } from "./states.js";
import { load, save } from "./store.js";
import { Turn } from "./turn.js";
import { ConversationView, ExchangeView } from "./view.js";

/** How long the relay goes on without a reader: enough for a reload or a tunnel. */
const DETACH_SECONDS = 60;

const MAX_TOKENS = 16_384;
const THINKING_TOKENS = 4_096;

/** The tool that the question offers when a tool call is wanted of the simulated provider. */
const TOOL = {
  name: "get_weather",
  description: "The weather of a place, now and for some days to come.",
  input_schema: {
    type: "object",
    properties: { city: { type: "string" }, unit: { type: "string" }, days: { type: "integer" } },
    required: ["city"],
  },
};

class Page {
  #form = /** @type {HTMLFormElement} */ (byId("composer"));
  #question = /** @type {HTMLTextAreaElement} */ (byId("question"));
  #send = /** @type {HTMLButtonElement} */ (byId("send"));
  #stop = /** @type {HTMLButtonElement} */ (byId("stop"));
  #new = /** @type {HTMLButtonElement} */ (byId("new"));
  #simulator = new Simulator(byId("simulator"));
  #view = new ConversationView(byId("conversation"), byId("jump"), byId("welcome"));
  #exchanges = /** @type {Exchange[]} */ ([]);
  #turn = /** @type {Turn | null} */ (null);
  #config = { simulated: false, model: "" };
  #frame = 0;

  async start() {
    const saved = load(sessionStorage);
    this.#simulator.settings = saved.settings;
    this.#question.value = saved.draft;
    this.#listen();
    this.#config = await fetchConfig();
    setText(byId("model"), this.#config.model);
    document.documentElement.dataset.simulated = String(this.#config.simulated);
    for (const exchange of saved.exchanges) this.#show(exchange);
    const last = this.#exchanges.at(-1);
    if (last !== undefined && !last.ended) this.#run(last, "Page loaded again");
    this.#render();
    this.#question.focus();
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#askWhatIsTyped();
    });
    this.#question.addEventListener("keydown", (event) => {
      // Enter that ends the composition of a character is not meant for us.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#question.addEventListener("input", () => this.#renderControls());
    this.#stop.addEventListener("click", () => this.#stopTurn());
    this.#new.addEventListener("click", () => this.#startAnew());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.#stopTurn();
    });
    byId("welcome").addEventListener("click", (event) => this.#playScene(event));
    window.addEventListener("pagehide", () => this.#save());
    window.addEventListener("online", () => this.#turn?.hurry());
  }

  /** @param {Event} event */
  #playScene(event) {
    const scene = event.target instanceof Element ? event.target.closest("[data-scene]") : null;
    if (!(scene instanceof HTMLElement)) return;
    this.#simulator.play(scene.dataset.scene ?? "");
    this.#ask(scene.dataset.question ?? "");
  }

  #askWhatIsTyped() {
    const text = this.#question.value;
    if (text.trim() === "" || this.#turn !== null) return;
    this.#question.value = "";
    this.#ask(text);
  }

  /** @param {string} text */
  #ask(text) {
    if (this.#turn !== null) return;
    const exchange = new Exchange(text, newTurnId(), browser.now());
    this.#show(exchange);
    this.#run(exchange, "Question sent");
    this.#view.follow();
    this.#question.focus();
  }

  /** @param {Exchange} exchange */
  #show(exchange) {
    this.#exchanges.push(exchange);
    const view = new ExchangeView(exchange, {
      again: () => this.#askAgain(exchange),
      resume: () => this.#resume(exchange),
    });
    this.#view.add(view);
    view.update(browser.now());
  }

  /** Asks the last question anew, in place of its answer. @param {Exchange} exchange */
  #askAgain(exchange) {
    if (this.#turn !== null) return;
    if (exchange === this.#exchanges.at(-1)) {
      this.#exchanges.pop();
      this.#view.removeLast();
    }
    this.#ask(exchange.question);
  }

  /** Takes up a turn that only lacked a connection. @param {Exchange} exchange */
  #resume(exchange) {
    if (this.#turn !== null || exchange !== this.#exchanges.at(-1)) return;
    exchange.error = null;
    exchange.message.reopen();
    this.#exchanges.pop();
    this.#view.removeLast();
    this.#show(exchange);
    this.#run(exchange, "Taken up again");
    this.#question.focus();
  }

  /** Runs the turn of the last exchange to its end. @param {Exchange} exchange @param {string} step */
  #run(exchange, step) {
    const { metrics, message } = exchange;
    metrics.step(browser.now(), step);
    const request = (exchange.request ??= this.#request());
    const turn = new Turn({
      ...exchange.turn,
      request,
      visible: message.visible,
      onEvent: (data) => this.#receive(exchange, data),
      onChange: () => this.#follow(exchange, turn),
    });
    this.#turn = turn;
    this.#follow(exchange, turn);
    this.#save();
    turn.run();
  }

  #request() {
    const { simulated, model } = this.#config;
    const headers = simulated ? this.#simulator.headers : {};
    const thinking = { type: "enabled", budget_tokens: THINKING_TOKENS };
    const body = {
      model,
      max_tokens: MAX_TOKENS,
      stream: true,
      messages: requestMessages(this.#exchanges),
      ...(headers["Sim-Tool"] ? { tools: [TOOL] } : {}),
      ...(Number(headers["Sim-Thinking"]) > 0 ? { thinking } : {}),
    };
    const always = {
      "Content-Type": "application/json",
      "anthropic-version": "2023-06-01",
      "Turn-On-Disconnect": `detach=${DETACH_SECONDS}`,
    };
    return { headers: { ...always, ...headers }, body: JSON.stringify(body) };
  }

  /** @param {Exchange} exchange @param {any} data */
  #receive(exchange, data) {
    const { message, metrics } = exchange;
    const now = browser.now();
    const grown = message.receive(data);
    if (data.type === "message_start") metrics.step(now, `The model began (${message.model})`);
    if (grown !== null && metrics.firstAt === null) metrics.step(now, "First token");
    if (grown !== null) metrics.piece(now, grown);
    metrics.reported = message.outputTokens;
    this.#schedule();
    return grown !== null;
  }

  /** The turn has changed: note it down, keep it, show it. @param {Exchange} exchange @param {Turn} turn */
  #follow(exchange, turn) {
    const { id, accepted, lastEventId, phase, resumable, state, error } = turn;
    const noticed = accepted !== exchange.turn.accepted || state !== exchange.state;
    this.#noteSteps(exchange, turn);
    Object.assign(exchange, { turn: { id, accepted, lastEventId, phase, resumable }, state, error });
    if (accepted) exchange.request = null;
    if (turn.ended) {
      exchange.message.finish();
      if (this.#turn === turn) this.#turn = null;
    }
    if (noticed) this.#save();
    this.#schedule();
  }

  /** @param {Exchange} exchange @param {Turn} turn */
  #noteSteps({ metrics, state, turn: { accepted } }, turn) {
    const now = browser.now();
    if (turn.accepted && !accepted) metrics.step(now, "Relay answered");
    if (turn.state === state) return;
    if (turn.state === "reconnecting" && turn.attempt > 0) metrics.step(now, "Connection lost");
    if (state === "reconnecting" && !turn.ended && turn.accepted) metrics.step(now, "Connected again");
  }

  #stopTurn() {
    this.#turn?.stop();
  }

  /** Forgets the conversation; a turn that is still running is stopped. */
  #startAnew() {
    this.#stopTurn();
    this.#turn = null;
    this.#exchanges = [];
    this.#view.clear();
    this.#save();
    this.#render();
    this.#question.focus();
  }

  #save() {
    const exchanges = this.#exchanges;
    const running = exchanges.at(-1);
    if (running !== undefined && this.#turn !== null) running.turn.lastEventId = this.#turn.lastEventId;
    save(sessionStorage, { exchanges, draft: this.#question.value, settings: this.#simulator.settings });
  }

  /** Draws once a frame, however many events came. */
  #schedule() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
      const waiting = this.#turn !== null && this.#exchanges.at(-1)?.metrics.answeredAt === null;
      if (waiting) setTimeout(() => this.#schedule(), 100); // the seconds go on
    });
  }

  #render() {
    this.#view.update(browser.now());
    this.#renderControls();
    const state = this.#turn?.state ?? this.#exchanges.at(-1)?.state ?? "idle";
    const root = document.documentElement;
    root.dataset.state = state;
    const status = byId("state");
    setIcon(/** @type {SVGElement} */ (status.firstElementChild), STATES[state].icon);
    setText(/** @type {Element} */ (status.lastElementChild), this.#describe(state));
  }

  /** @param {string} state */
  #describe(state) {
    const { label } = STATES[state];
    const attempt = this.#turn?.attempt ?? 0;
    if (state !== "reconnecting" || attempt === 0) return label;
    return navigator.onLine ? `${label}, attempt ${attempt}` : `Offline, attempt ${attempt}`;
  }

  #renderControls() {
    const running = this.#turn !== null;
    const focused = document.activeElement === this.#stop;
    this.#stop.hidden = !running;
    this.#send.hidden = running;
    this.#send.disabled = this.#question.value.trim() === "";
    if (focused && !running) this.#question.focus(); // the button under the focus has gone
  }
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

async function fetchConfig() {
  try {
    const response = await fetch("/config", { cache: "no-store" });
    const { simulated, model } = await response.json();
    return { simulated: simulated === true, model: String(model ?? "") };
  } catch {
    return { simulated: false, model: "" };
  }
}

await new Page().start();
