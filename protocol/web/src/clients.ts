// The box's services as a page calls them: gRPC-web on the page's own origin. Owns the transport; sessions and screens stand elsewhere.
import { createClient } from "@connectrpc/connect";
import type { Client, Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { DescService } from "@bufbuild/protobuf";

export { ConsoleService } from "./gen/backroom/console/v1/console_pb.ts";
export { RegisterService } from "./gen/backroom/register/v1/register_pb.ts";

/**
 * A client whose calls carry the token that `token` answers at that moment (none when it answers undefined). Another service than the two
 * exported here is imported from `@backroom/protocol/gen/...`.
 */
export function boxClient<S extends DescService>(service: S, token: () => string | undefined = () => undefined): Client<S> {
  const signed: Interceptor = (next) => (request) => {
    const now = token();
    if (now !== undefined) request.header.set("authorization", `Bearer ${now}`);
    return next(request);
  };
  return createClient(service, createGrpcWebTransport({ baseUrl: location.origin, interceptors: [signed] }));
}
