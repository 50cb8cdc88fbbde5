// openid-client as a television: the code on its screen is typed elsewhere while it polls (RFC 8628).
import * as client from "openid-client";
import { allowed, given, refusal, said } from "./kit.mjs";

const config = await client.discovery(new URL(given.issuer), given.client_id, undefined, client.None());
const shown = await client.initiateDeviceAuthorization(config, { scope: "openid email offline_access" });
const polling = client.pollDeviceAuthorizationGrant(config, shown);
await allowed(shown.verification_uri, shown.user_code);
const tokens = await polling;
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
const again = await refusal(() => client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:device_code", { device_code: shown.device_code }));
said({ claims, user, shown, again, scope: fresh.scope });
