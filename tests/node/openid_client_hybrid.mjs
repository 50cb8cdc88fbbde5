// openid-client as an older application: code and id_token come together in the fragment (OpenID Connect Core 1.0, 3.3).
import * as client from "openid-client";
import { given, said, walked } from "./kit.mjs";

const { issuer, client_id, client_secret, redirect_uri } = given;
const config = await client.discovery(new URL(issuer), client_id, client_secret);
client.useCodeIdTokenResponseType(config);
const verifier = client.randomPKCECodeVerifier();
const nonce = client.randomNonce();
const state = client.randomState();
const to = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope: "openid email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
});
const back = new URL(await walked(to, redirect_uri));
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state });
const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);

const only = await client.discovery(new URL(issuer), client_id, client_secret);
client.useIdTokenResponseType(only);
const asked = client.buildAuthorizationUrl(only, { redirect_uri, scope: "openid email", nonce, state });
const implicit = await client.implicitAuthentication(only, new URL(await walked(asked, redirect_uri)), nonce, { expectedState: state });
said({ claims: tokens.claims(), user, implicit, back: [...new URLSearchParams(back.hash.slice(1)).keys()].sort() });
