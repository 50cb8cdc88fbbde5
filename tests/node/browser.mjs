// A browser without script: keeps cookies per host, follows redirects, reads forms and sends them.

const unescape = (text) =>
  text.replace(/&quot;/g, '"').replace(/&#39;|&#x27;/g, "'").replace(/&#34;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const attributes = (tag) => {
  const found = {};
  for (const [, name, , , double, single, bare] of tag.matchAll(/([a-zA-Z-]+)(=("([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? "");
  }
  return found;
};

export const forms = (html) =>
  [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head, body]) => {
    const fields = [...body.matchAll(/<(input|button)\b([^>]*)>/gi)].map(([, kind, rest]) => ({ kind: kind.toLowerCase(), ...attributes(rest) }));
    return { ...attributes(head), fields };
  });

export class Browser {
  constructor() {
    this.jar = new Map();
    this.pages = [];
  }

  cookies(url) {
    return [...(this.jar.get(new URL(url).hostname) ?? new Map())].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async once(url, options = {}) {
    const headers = { ...options.headers, cookie: this.cookies(url) };
    const answer = await fetch(url, { ...options, headers, redirect: "manual" });
    const host = new URL(url).hostname;
    const kept = this.jar.get(host) ?? new Map();
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const at = pair.indexOf("=");
      if (/max-age=0/i.test(line)) kept.delete(pair.slice(0, at));
      else kept.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.jar.set(host, kept);
    return answer;
  }

  // Goes on from `url`, filling forms from `answers`, until a redirect points at `stop`; returns that address.
  async walk(url, answers, stop) {
    let options = {};
    for (let turn = 0; turn < 40; turn++) {
      const answer = await this.once(url, options);
      const location = answer.headers.get("location");
      if (location) {
        url = new URL(location, url).href;
        options = {};
        if (url.startsWith(stop)) return url;
        continue;
      }
      const html = await answer.text();
      this.pages.push(`${answer.status} ${url}`);
      const form = forms(html).find((one) => one.method?.toLowerCase() === "post" && one.fields.some((field) => field.name === "action"));
      if (!form) throw new Error(`no form to go on with at ${url} (${answer.status}):\n${html.replace(/<style[\s\S]*?<\/style>/g, "").slice(0, 3000)}`);
      const body = new URLSearchParams();
      for (const field of form.fields) {
        if (field.kind === "input" && field.name) body.append(field.name, answers[field.name] ?? field.value ?? "");
      }
      const buttons = form.fields.filter((field) => field.kind === "button" && field.name === "action").map((field) => field.value);
      body.append("action", buttons.find((value) => value === "allow") ?? buttons.find((value) => value === "continue") ?? buttons[0]);
      const target = new URL(form.action || url, url).href;
      options = { method: "POST", body, headers: { origin: new URL(target).origin } };
      url = target;
    }
    throw new Error(`walked in circles: ${this.pages.join(" -> ")}`);
  }
}
