/** A turn for everybody else. */

const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** Lets the event loop run once, without the 4 ms that timers take in browsers. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    // A port that listens would keep Node from ending.
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // jsdom has neither.
    if (typeof MessageChannel !== "function") {
      setTimeout(resolve);
      return;
    }
    if (!channel) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
