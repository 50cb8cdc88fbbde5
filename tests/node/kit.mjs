// What the scripts for openid-client and oauth4webapi share: keys as WebCrypto has them, a browser that signs in, and calls with a client certificate.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { Browser } from "./browser.mjs";

export const given = JSON.parse(process.argv[2]);

const EC = { name: "ECDSA", namedCurve: "P-256" };
const ECDH = { name: "ECDH", namedCurve: "P-256" };
export const signing = (jwk) => crypto.subtle.importKey("jwk", jwk, EC, false, ["sign"]);
export const opening = (jwk) => crypto.subtle.importKey("jwk", jwk, ECDH, false, ["deriveBits"]);

export const browser = new Browser();
export const walked = (url, stop) => browser.walk(new URL(url).href, { identifier: given.identifier, password: given.password }, stop);

// Types the code of a device, compares, and allows; returns the last page.
export const allowed = async (uri, code) => {
  const answers = { identifier: given.identifier, password: given.password, user_code: code };
  await browser.walk(uri, answers, new URL("/device/done", uri).href);
};

export const said = (what) => console.log(JSON.stringify(what));

// The code of a refusal, however a client wraps it; "" where there was none.
export const refusal = async (asking) => {
  try {
    await asking();
    return "";
  } catch (error) {
    const challenged = error.cause?.[0]?.parameters?.error;
    return error.error ?? challenged ?? (error.response && (await error.response.json()).error) ?? String(error);
  }
};

// fetch, showing a certificate: the built-in one cannot.
export const shows = (file) => {
  const pem = readFileSync(file);
  const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method, headers: Object.fromEntries(new Headers(headers)), key: pem, cert: pem, ca }, async (answer) => {
        const parts = [];
        for await (const part of answer) parts.push(part);
        const raw = answer.rawHeaders;
        const pairs = raw.flatMap((name, at) => (at % 2 ? [] : [[name, raw[at + 1]]]));
        resolve(new Response([204, 304].includes(answer.statusCode) ? null : Buffer.concat(parts), { status: answer.statusCode, headers: pairs }));
      });
      sent.on("error", reject);
      sent.end(body === undefined || body === null ? undefined : body.toString());
    });
};
