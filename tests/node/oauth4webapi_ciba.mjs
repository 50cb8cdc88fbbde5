// oauth4webapi at a till: the person is asked on a device of hers (CIBA Core 1.0).
import * as oauth from "oauth4webapi";
import { given, refusal, said, signing } from "./kit.mjs";

const { issuer, client_id, sign, identifier } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const client = { client_id };
const auth = oauth.PrivateKeyJwt({ key: await signing(sign), kid: sign.kid });
const asked = { scope: "openid email", login_hint: identifier, binding_message: "W4SCT" };
const begun = await oauth.processBackchannelAuthenticationResponse(server, client, await oauth.backchannelAuthenticationRequest(server, client, auth, asked));
const poll = async () =>
  oauth.processBackchannelAuthenticationGrantResponse(server, client, await oauth.backchannelAuthenticationGrantRequest(server, client, auth, begun.auth_req_id));
const waiting = await refusal(poll);
await fetch(`${issuer}/dev/approve`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ auth_req_id: begun.auth_req_id, account: identifier, decision: "approve" }),
});
await new Promise((resolve) => setTimeout(resolve, begun.interval * 1000));
const tokens = await poll();
const claims = oauth.getValidatedIdTokenClaims(tokens);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token));
said({ claims, user, waiting, again: await refusal(poll) });
