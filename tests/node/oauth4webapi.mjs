// oauth4webapi as a public native application: code with PKCE and no secret, refresh with rotation, userinfo, revocation.
import * as oauth from "oauth4webapi";
import { Browser } from "./browser.mjs";

const { issuer, client_id, redirect_uri, identifier, password } = JSON.parse(process.argv[2]);
const insecure = { [oauth.allowInsecureRequests]: true };

const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: "oidc", ...insecure }));
const server2 = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: "oauth2", ...insecure }));
const client = { client_id };
const auth = oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const nonce = oauth.generateRandomNonce();
const state = oauth.generateRandomState();
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({
  client_id,
  redirect_uri,
  response_type: "code",
  scope: "openid email offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
}).toString();

const browser = new Browser();
const back = await browser.walk(to.href, { identifier, password }, redirect_uri);
const parameters = oauth.validateAuthResponse(server, client, new URL(back), state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier, insecure);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
await oauth.validateApplicationLevelSignature(server, answer, insecure);

const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure));
const refreshed = await oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token, insecure));
await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, refreshed.refresh_token, insecure));
const gone = await oauth.refreshTokenGrantRequest(server, client, auth, refreshed.refresh_token, insecure);

console.log(JSON.stringify({ claims, user, rotated: refreshed.refresh_token !== tokens.refresh_token, gone: (await gone.json()).error, same: server.token_endpoint === server2.token_endpoint }));
