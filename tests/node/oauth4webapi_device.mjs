// oauth4webapi as a television: it asks, waits, and gets its tokens once the code was typed elsewhere (RFC 8628).
import * as oauth from "oauth4webapi";
import { allowed, given, refusal, said } from "./kit.mjs";

const { issuer, client_id } = given;
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const client = { client_id };
const auth = oauth.None();
const shown = await oauth.processDeviceAuthorizationResponse(server, client, await oauth.deviceAuthorizationRequest(server, client, auth, { scope: "openid email" }));
const poll = async () => oauth.processDeviceCodeResponse(server, client, await oauth.deviceCodeGrantRequest(server, client, auth, shown.device_code));
const waiting = await refusal(poll);
await allowed(shown.verification_uri_complete, shown.user_code);
await new Promise((resolve) => setTimeout(resolve, shown.interval * 1000));
const tokens = await poll();
const claims = oauth.getValidatedIdTokenClaims(tokens);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token));
const again = await refusal(poll);
said({ claims, user, waiting, again });
