// openid-client at a till: the person is asked on a device of hers while it polls (CIBA Core 1.0).
import * as client from "openid-client";
import { given, refusal, said, signing } from "./kit.mjs";

const { issuer, client_id, sign, identifier } = given;
const config = await client.discovery(new URL(issuer), client_id, undefined, client.PrivateKeyJwt({ key: await signing(sign), kid: sign.kid }));
const decide = (decision, { auth_req_id }) =>
  fetch(`${issuer}/dev/approve`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ auth_req_id, account: identifier, decision }) });

const ask = () => client.initiateBackchannelAuthentication(config, { scope: "openid email", login_hint: identifier, binding_message: "W4SCT" });
const first = await ask();
const polling = client.pollBackchannelAuthenticationGrant(config, first);
const answered = await decide("approve", first);
const tokens = await polling;
const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);

const second = await ask();
await decide("deny", second);
const denied = await refusal(() => client.pollBackchannelAuthenticationGrant(config, second));
const unhinted = await refusal(() => client.initiateBackchannelAuthentication(config, { scope: "openid email" }));
said({ claims: tokens.claims(), user, denied, unhinted, status: answered.status, modes: config.serverMetadata().backchannel_token_delivery_modes_supported });
