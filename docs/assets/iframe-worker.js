"use strict";
// The search runs in a worker, and browsers start none for pages opened from a file. There it runs
// in a hidden frame instead, which has its own globals and talks by messages as a worker does.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.started = new Promise(resolve => this.frame.addEventListener("load", resolve));
      const script = document.createElement("script");
      script.src = url;
      this.frame.srcdoc = `<!doctype html><script>
        self.postMessage = data => parent.dispatchEvent(
          new CustomEvent("iframe-worker", { detail: { data, source: self } }));
        self.importScripts = (...urls) => urls.reduce((before, url) => before.then(() =>
          new Promise((resolve, reject) => {
            const script = document.createElement("script");
            script.src = url;
            script.onload = resolve;
            script.onerror = reject;
            document.head.append(script);
          })), Promise.resolve());
      </script>${script.outerHTML}`;
      window.addEventListener("iframe-worker", ({ detail }) => {
        if (detail.source === this.frame.contentWindow)
          this.dispatchEvent(new MessageEvent("message", { data: detail.data }));
      });
      document.documentElement.append(this.frame);
    }
    postMessage(data) {
      this.started.then(() => this.frame.contentWindow.dispatchEvent(
        new MessageEvent("message", { data })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
