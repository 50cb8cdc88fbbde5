// openid-client registers itself (RFC 7591) and signs somebody in as what it was given.
import * as client from "openid-client";
import { given, said, walked } from "./kit.mjs";

const { issuer, redirect_uri } = given;
const config = await client.dynamicClientRegistration(new URL(issuer), { client_name: "A stranger", redirect_uris: [redirect_uri], token_endpoint_auth_method: "client_secret_post" }, undefined);
const verifier = client.randomPKCECodeVerifier();
const to = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope: "openid email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const tokens = await client.authorizationCodeGrant(config, new URL(await walked(to, redirect_uri)), { pkceCodeVerifier: verifier });
const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
said({ claims: tokens.claims(), user, client: config.clientMetadata() });
