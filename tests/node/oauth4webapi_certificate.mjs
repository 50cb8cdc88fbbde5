// oauth4webapi with a certificate: it proves the client, and its tokens work with that certificate alone (RFC 8705).
import * as oauth from "oauth4webapi";
import { given, refusal, said, shows, walked } from "./kit.mjs";

const { issuer, client_id, redirect_uri, certificate, another } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const client = { client_id, use_mtls_endpoint_aliases: true };
const auth = oauth.TlsClientAuth();
const mine = { [oauth.customFetch]: shows(certificate) };
const thief = { [oauth.customFetch]: shows(another) };

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const asked = {
  redirect_uri,
  response_type: "code",
  scope: "openid email offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
};
const push = async (shown) => oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, auth, asked, shown));
const impostor = await refusal(() => push(thief));
const { request_uri } = await push(mine);
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({ client_id, request_uri }).toString();
const parameters = oauth.validateAuthResponse(server, client, new URL(await walked(to, redirect_uri)), state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier, mine);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
const ask = async (shown) => oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, shown));
const user = await ask(mine);
const stolen = await refusal(() => ask(thief));
const fresh = await oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token, mine));
said({ claims, user, impostor, stolen, scope: fresh.scope });
