// openid-client as a confidential web application: discovery, code with PKCE, userinfo, refresh, introspection, revocation, sign-out.
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

const { issuer, client_id, client_secret, redirect_uri, return_uri, identifier, password } = JSON.parse(process.argv[2]);

const config = await client.discovery(new URL(issuer), client_id, client_secret, undefined, { execute: [client.allowInsecureRequests] });
const verifier = client.randomPKCECodeVerifier();
const nonce = client.randomNonce();
const state = client.randomState();
const to = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope: "openid profile email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
});

const browser = new Browser();
const back = await browser.walk(to.href, { identifier, password }, redirect_uri);
const tokens = await client.authorizationCodeGrant(config, new URL(back), { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true });
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
const seen = await client.tokenIntrospection(config, fresh.access_token);
await client.tokenRevocation(config, fresh.refresh_token);
const dead = await client.tokenIntrospection(config, fresh.access_token);

const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: return_uri, state: "bye" });
const left = await browser.walk(out.href, {}, return_uri);

const again = new URL(to);
again.searchParams.set("prompt", "none");
const refused = await browser.walk(again.href, {}, redirect_uri);

console.log(JSON.stringify({ claims, user, active: seen.active, dead: dead.active, scope: fresh.scope, left, refused: new URL(refused).searchParams.get("error"), pages: browser.pages }));
