--  SPDX-License-Identifier: MIT
with Interfaces.C;
with System;

package Memory is
   function Malloc (N : Interfaces.C.size_t) return System.Address
     with Import, Convention => C, External_Name => "malloc";
   procedure Free (P : System.Address)
     with Import, Convention => C, External_Name => "free";
   procedure Work (N : Integer);
   procedure Work (S : String);
   generic
      Count : Positive;
   procedure Repeat;
end Memory;
