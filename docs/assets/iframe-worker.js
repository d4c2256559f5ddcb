// Browsers start no Worker for a page opened from a file; the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      // a srcdoc frame shares this page's origin, so that both may call each other
      this.frame.srcdoc =
        "<script>postMessage = data => frameElement.answer(data)</scr" + "ipt>" +
        `<script src="${new URL(url, document.baseURI).href}"></scr` + "ipt>";
      this.frame.answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = new Promise((done) => this.frame.addEventListener("load", done));
      const attach = () => document.body.append(this.frame);
      document.body ? attach() : addEventListener("DOMContentLoaded", attach);
    }
    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      });
    }
    terminate() {
      this.frame.remove();
    }
  };
}
