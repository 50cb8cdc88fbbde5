// oauth4webapi with everything signed: private_key_jwt, a request object pushed, a signed answer, tokens bound to a key, an id_token encrypted to it.
import { compactDecrypt } from "jose";
import * as oauth from "oauth4webapi";
import { given, opening, said, signing, walked } from "./kit.mjs";

const { issuer, client_id, redirect_uri, sign, open } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const client = { client_id, authorization_signed_response_alg: "ES256", id_token_signed_response_alg: "ES256", introspection_signed_response_alg: "ES256" };
const key = { key: await signing(sign), kid: sign.kid };
const auth = oauth.PrivateKeyJwt(key);
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
const unsealing = await opening(open);
const decrypting = { [oauth.jweDecrypt]: async (jwe) => new TextDecoder().decode((await compactDecrypt(jwe, unsealing)).plaintext) };

const verifier = oauth.generateRandomCodeVerifier();
const nonce = oauth.generateRandomNonce();
const state = oauth.generateRandomState();
const object = await oauth.issueRequestObject(
  server,
  client,
  {
    redirect_uri,
    response_type: "code",
    response_mode: "jwt",
    scope: "openid email offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce,
    state,
  },
  key,
);
const push = async () => oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, auth, { client_id, request: object }, { DPoP }));
const pushed = await push().catch((trouble) => (oauth.isDPoPNonceError(trouble) ? push() : Promise.reject(trouble))); // with the nonce that the refusal brought
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({ client_id, request_uri: pushed.request_uri }).toString();

const back = new URL(await walked(to, redirect_uri));
const parameters = await oauth.validateJwtAuthResponse(server, client, back, state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect_uri, verifier, { DPoP });
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true, ...decrypting });
await oauth.validateApplicationLevelSignature(server, answer);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, { DPoP }));
const asked = await oauth.introspectionRequest(server, client, auth, tokens.access_token, { requestJwtResponse: true });
const introspected = await oauth.processIntrospectionResponse(server, client, asked);
await oauth.validateApplicationLevelSignature(server, asked);

said({ claims, user, introspected, type: tokens.token_type, parts: tokens.id_token.split(".").length, back: [...back.searchParams.keys()], lives: pushed.expires_in });
