// openid-client with everything signed: private_key_jwt, a request object pushed, a signed answer, tokens bound to a key, an id_token encrypted to it.
import * as client from "openid-client";
import { given, opening, refusal, said, signing, walked } from "./kit.mjs";

const { issuer, client_id, redirect_uri, sign, open } = given;
const key = { key: await signing(sign), kid: sign.kid };
const metadata = { authorization_signed_response_alg: "ES256", id_token_signed_response_alg: "ES256", introspection_signed_response_alg: "ES256" };
const config = await client.discovery(new URL(issuer), client_id, metadata, client.PrivateKeyJwt(key));
client.useJwtResponseMode(config);
client.enableDecryptingResponses(config, ["A256GCM"], { key: await opening(open), alg: "ECDH-ES+A256KW", kid: open.kid });
client.enableNonRepudiationChecks(config);
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));

const verifier = client.randomPKCECodeVerifier();
const nonce = client.randomNonce();
const state = client.randomState();
const asked = {
  redirect_uri,
  scope: "openid email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
};
const unsigned = await refusal(() => client.buildAuthorizationUrlWithPAR(config, asked, { DPoP }));
const object = await client.buildAuthorizationUrlWithJAR(config, asked, key);
const pushed = await client.buildAuthorizationUrlWithPAR(config, object.searchParams, { DPoP });

const back = await walked(pushed, redirect_uri);
const tokens = await client.authorizationCodeGrant(config, new URL(back), { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true }, undefined, { DPoP });
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP });
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
const seen = await client.tokenIntrospection(config, fresh.access_token);
await client.tokenRevocation(config, fresh.refresh_token ?? tokens.refresh_token);
const dead = await client.tokenIntrospection(config, fresh.access_token);

said({
  ...{ claims, user, unsigned, type: tokens.token_type, parts: tokens.id_token.split(".").length, dead: dead.active, introspected: seen },
  ...{ pushed: [...pushed.searchParams.keys()].sort(), back: [...new URL(back).searchParams.keys()] },
});
