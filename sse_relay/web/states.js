/** How each state is called and drawn.  Never by colour alone. */

/** @type {Record<string, { label: string, icon: string }>} */
export const STATES = {
  idle: { label: "Ready", icon: "ready" },
  connecting: { label: "Connecting", icon: "connecting" },
  thinking: { label: "Thinking", icon: "thinking" },
  writing: { label: "Writing", icon: "writing" },
  reconnecting: { label: "Reconnecting", icon: "reconnecting" },
  stopping: { label: "Stopping", icon: "stopped" },
  done: { label: "Done", icon: "done" },
  stopped: { label: "Stopped", icon: "stopped" },
  "cut-off": { label: "Cut off", icon: "cut-off" },
  failed: { label: "Failed", icon: "failed" },
};
