// oauth4webapi as an older application: code and id_token come together in the fragment (OpenID Connect Core 1.0, 3.3).
import * as oauth from "oauth4webapi";
import { given, said, walked } from "./kit.mjs";

const { issuer, client_id, client_secret, redirect_uri } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const client = { client_id };
const auth = oauth.ClientSecretPost(client_secret);
const verifier = oauth.generateRandomCodeVerifier();
const nonce = oauth.generateRandomNonce();
const state = oauth.generateRandomState();
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({
  client_id,
  redirect_uri,
  response_type: "code id_token",
  scope: "openid email",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
}).toString();
const back = new URL(await walked(to, redirect_uri));
const parameters = await oauth.validateCodeIdTokenResponse(server, client, back, nonce, state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token));
said({ claims, user });
