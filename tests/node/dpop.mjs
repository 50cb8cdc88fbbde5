// oauth4webapi as a public native application whose tokens are bound to a key of its own (RFC 9449): code with dpop_jkt, userinfo, refresh.
import * as oauth from "oauth4webapi";
import { Browser } from "./browser.mjs";

const { issuer, client_id, redirect_uri, identifier, password } = JSON.parse(process.argv[2]);
const insecure = { [oauth.allowInsecureRequests]: true };

const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: "oauth2", ...insecure }));
const client = { client_id };
const auth = oauth.None();
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
const thief = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
const jkt = await DPoP.calculateThumbprint();

const verifier = oauth.generateRandomCodeVerifier();
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({
  client_id,
  redirect_uri,
  response_type: "code",
  scope: "openid email offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  dpop_jkt: jkt,
}).toString();

const browser = new Browser();
const back = await browser.walk(to.href, { identifier, password }, redirect_uri);
const parameters = oauth.validateAuthResponse(server, client, new URL(back), oauth.expectNoState);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier, { DPoP, ...insecure });
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);

const ask = (given) => oauth.userInfoRequest(server, client, tokens.access_token, { ...given, ...insecure });
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await ask({ DPoP }));
const again = (await ask({ DPoP })).status;
const refusal = async (asking) => {
  try {
    const got = await asking();
    return got.ok ? "" : (await got.json()).error;
  } catch (error) {
    return error.cause[0].parameters.error;
  }
};
const stolen = await refusal(() => ask({}));
const bent = await refusal(() => ask({ DPoP: thief }));

const renew = (given) => oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token, { ...given, ...insecure });
const unproved = await refusal(() => renew({ DPoP: thief }));
const refreshed = await oauth.processRefreshTokenResponse(server, client, await renew({ DPoP }));
const bound = JSON.parse(atob(refreshed.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).cnf.jkt === jkt;

console.log(JSON.stringify({ claims, user, type: tokens.token_type, again, stolen, bent, unproved, bound }));
