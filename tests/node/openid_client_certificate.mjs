// openid-client with a certificate: it proves the client, and its tokens work with that certificate alone (RFC 8705).
import * as client from "openid-client";
import { given, refusal, said, shows, walked } from "./kit.mjs";

const { issuer, client_id, redirect_uri, certificate, another } = given;
const prepared = async (file) => {
  const config = await client.discovery(new URL(issuer), client_id, { use_mtls_endpoint_aliases: true }, client.TlsClientAuth());
  config[client.customFetch] = shows(file);
  return config;
};
const config = await prepared(certificate);
const thief = await prepared(another);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const to = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri,
  scope: "openid email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
});
const back = new URL(await walked(to, redirect_uri));
const impostor = await refusal(() => client.authorizationCodeGrant(thief, back, { pkceCodeVerifier: verifier, expectedState: state }));
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true });
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const stolen = await refusal(() => client.fetchUserInfo(thief, tokens.access_token, claims.sub));
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
const seen = await client.tokenIntrospection(config, fresh.access_token);

said({ claims, user, impostor, stolen, seen, endpoint: config.serverMetadata().mtls_endpoint_aliases.token_endpoint });
