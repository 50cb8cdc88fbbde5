// oauth4webapi registers itself (RFC 7591) and signs somebody in as what it was given.
import * as oauth from "oauth4webapi";
import { given, said, walked } from "./kit.mjs";

const { issuer, redirect_uri } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const asked = { client_name: "A stranger", redirect_uris: [redirect_uri], token_endpoint_auth_method: "client_secret_post" };
const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(server, asked));
const verifier = oauth.generateRandomCodeVerifier();
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri,
  response_type: "code",
  scope: "openid email",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
}).toString();
const parameters = oauth.validateAuthResponse(server, client, new URL(await walked(to, redirect_uri)), oauth.expectNoState);
const auth = oauth.ClientSecretPost(client.client_secret);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token));
said({ claims, user, client });
